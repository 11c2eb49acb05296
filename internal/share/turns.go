package share

import (
	"container/heap"
	"strings"
	"time"
)

// Turns hands out what waits so that apps get equal shares of the time it costs,
// however many calls each makes: next is the app that has had the least. An app that
// asks again after a pause starts level with the app served last: it gets nothing for
// the time it did not ask, and what it had more than its share of is not forgotten
// until the others have had as much. What one app waits for keeps its order. Not safe
// for concurrent use.
type Turns[T any] struct {
	apps  map[string]*Line[T]
	ready readyHeap[T]  // the apps that something waits for
	level time.Duration // what the app that was served last had received before
	sweep int           // number of apps at which those without a debt are forgotten
}

// Line is what waits for one app.
type Line[T any] struct {
	app     string
	had     time.Duration // on the scale of level
	waiting []T
	gone    int // of waiting, from its beginning: released
	taken   int // likewise: taken, and not to be put back where it is gone
	place   int // in ready; -1: nothing waits
}

// maxDebt bounds for how long an app may wait for others to have as much as it had:
// a disk that stalled during its turn must not keep it out for as long.
const maxDebt = time.Second

// minSweep is the least number of apps worth looking through.
const minSweep = 64

// NewTurns hands out nothing yet.
func NewTurns[T any]() Turns[T] {
	return Turns[T]{apps: make(map[string]*Line[T]), sweep: minSweep}
}

// Of is the line of an app, which is made where there is none.
func (s *Turns[T]) Of(app string) *Line[T] {
	sh := s.apps[app]
	if sh == nil {
		s.forget()
		sh = &Line[T]{app: strings.Clone(app), had: s.level, place: -1}
		s.apps[sh.app] = sh
	}
	return sh
}

// forget drops the apps that a new share would serve as well, once there are many.
func (s *Turns[T]) forget() {
	if len(s.apps) < s.sweep {
		return
	}
	for app, sh := range s.apps {
		if sh.Len() == 0 && sh.had <= s.level {
			delete(s.apps, app)
		}
	}
	s.sweep = max(minSweep, 2*len(s.apps))
}

// Push lets an item wait behind the others of its app.
func (s *Turns[T]) Push(app string, item T) *Line[T] {
	sh := s.Of(app)
	sh.waiting = append(sh.waiting, item)
	s.wait(sh)
	return sh
}

// wait puts an app among those that something waits for.
func (s *Turns[T]) wait(sh *Line[T]) {
	if sh.place < 0 {
		sh.had = max(sh.had, s.level)
		heap.Push(&s.ready, sh)
	}
}

// Next is the app whose turn it is, of those that may: nil: of all; no app: nil.
func (s *Turns[T]) Next(may func(app string) bool) (next *Line[T]) {
	if may == nil {
		if len(s.ready) == 0 {
			return nil
		}
		return s.ready[0]
	}
	for _, sh := range s.ready {
		if (next == nil || sh.had < next.had) && may(sh.app) {
			next = sh
		}
	}
	return next
}

// First is what has waited longest for an app that is ready.
func (sh *Line[T]) First() T { return sh.waiting[sh.taken] }

// Take takes the first of an app that is ready, at a cost that is settled later.
func (s *Turns[T]) Take(sh *Line[T], cost time.Duration) T {
	item := sh.First()
	sh.taken++
	s.level = max(s.level, sh.had)
	if sh.taken == len(sh.waiting) {
		heap.Remove(&s.ready, sh.place)
	}
	s.Charge(sh, cost)
	return item
}

// PutBack undoes the last take of an app's.
func (s *Turns[T]) PutBack(sh *Line[T], cost time.Duration) {
	sh.taken--
	s.wait(sh)
	s.Charge(sh, -cost)
}

// Charge adds to what an app had; less than nothing gives back.
func (s *Turns[T]) Charge(sh *Line[T], cost time.Duration) {
	sh.had = min(sh.had+cost, s.level+maxDebt)
	if sh.place >= 0 {
		heap.Fix(&s.ready, sh.place)
	}
}

// Release lets go of what was taken of an app: it cannot be put back any more.
func (sh *Line[T]) Release() {
	clear(sh.waiting[sh.gone:sh.taken])
	sh.gone = sh.taken
	if 2*sh.gone < len(sh.waiting) {
		return // moving the rest is worth it once there is less of it than was taken
	}
	rest := copy(sh.waiting, sh.waiting[sh.gone:])
	clear(sh.waiting[rest:])
	sh.waiting, sh.gone, sh.taken = sh.waiting[:rest], 0, 0
}

// App is whose line it is.
func (sh *Line[T]) App() string { return sh.app }

// Len is how many wait in it.
func (sh *Line[T]) Len() int { return len(sh.waiting) - sh.taken }

// Idle says that nothing waited for a while: each app may have had as much.
func (s *Turns[T]) Idle(while time.Duration) { s.level += while }

// readyHeap is a container/heap: the app that had least comes first.
type readyHeap[T any] []*Line[T]

func (h readyHeap[T]) Len() int           { return len(h) }
func (h readyHeap[T]) Less(i, j int) bool { return h[i].had < h[j].had }

func (h readyHeap[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push adds what heap.Push is given.
func (h *readyHeap[T]) Push(x any) {
	sh, _ := x.(*Line[T])
	sh.place = len(*h)
	*h = append(*h, sh)
}

// Pop removes the last one.
func (h *readyHeap[T]) Pop() any {
	last := len(*h) - 1
	sh := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	sh.place = -1
	return sh
}

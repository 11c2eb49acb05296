package share

import (
	"container/heap"
	"strings"
	"time"
)

// Turns is a fair queue. It gives apps equal shares of time, no matter how many items each
// of them has: next is the app that has received the least. An app that returns after a
// pause starts at the level of the app served last, so it gains nothing by the pause; an
// app that had more than its share waits until the others have had as much. The items of
// one app keep their order. Not safe for concurrent use.
type Turns[T any] struct {
	apps  map[string]*Line[T]
	ready readyHeap[T]  // the apps that have waiting items
	level time.Duration // what the app served last had received before that
	sweep int           // at this number of apps, forget drops those without a debt
}

// Line is the queue of one app.
type Line[T any] struct {
	app     string
	had     time.Duration // time received; comparable to level
	waiting []T
	gone    int // how many items at the start of waiting were released
	taken   int // how many items at the start of waiting were taken; at least gone
	place   int // in ready; -1: nothing waits
}

// maxDebt bounds how far an app may be ahead of the others. A disk that stalls during its
// turn must not keep the app out for as long.
const maxDebt = time.Second

// minSweep is the least value of Turns.sweep.
const minSweep = 64

// NewTurns makes an empty queue.
func NewTurns[T any]() Turns[T] {
	return Turns[T]{apps: make(map[string]*Line[T]), sweep: minSweep}
}

// Of returns the line of an app, and makes it if there is none.
func (s *Turns[T]) Of(app string) *Line[T] {
	sh := s.apps[app]
	if sh == nil {
		s.forget()
		sh = &Line[T]{app: strings.Clone(app), had: s.level, place: -1}
		s.apps[sh.app] = sh
	}
	return sh
}

// forget drops the apps that have no items and no debt, once there are many.
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

// Push adds an item at the end of the line of its app.
func (s *Turns[T]) Push(app string, item T) *Line[T] {
	sh := s.Of(app)
	sh.waiting = append(sh.waiting, item)
	s.wait(sh)
	return sh
}

// wait adds an app to ready.
func (s *Turns[T]) wait(sh *Line[T]) {
	if sh.place < 0 {
		sh.had = max(sh.had, s.level)
		heap.Push(&s.ready, sh)
	}
}

// Next returns the app whose turn it is, among those for which may is true; a nil may
// means all. It returns nil if there is none.
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

// First is the item that has waited longest. The app must be ready.
func (sh *Line[T]) First() T { return sh.waiting[sh.taken] }

// Take removes the first item of an app that is ready and charges an estimated cost. The
// caller corrects it with Charge.
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

// PutBack undoes the last Take from a line; cost is what that Take charged.
func (s *Turns[T]) PutBack(sh *Line[T], cost time.Duration) {
	sh.taken--
	s.wait(sh)
	s.Charge(sh, -cost)
}

// Charge adds cost to the time an app received. A negative cost subtracts.
func (s *Turns[T]) Charge(sh *Line[T], cost time.Duration) {
	sh.had = min(sh.had+cost, s.level+maxDebt)
	if sh.place >= 0 {
		heap.Fix(&s.ready, sh.place)
	}
}

// Release frees the taken items of a line. They cannot be put back any more.
func (sh *Line[T]) Release() {
	clear(sh.waiting[sh.gone:sh.taken])
	sh.gone = sh.taken
	if 2*sh.gone < len(sh.waiting) {
		return // move the rest only if it is smaller than what was taken
	}
	rest := copy(sh.waiting, sh.waiting[sh.gone:])
	clear(sh.waiting[rest:])
	sh.waiting, sh.gone, sh.taken = sh.waiting[:rest], 0, 0
}

// App is the app of the line.
func (sh *Line[T]) App() string { return sh.app }

// Len is how many items wait.
func (sh *Line[T]) Len() int { return len(sh.waiting) - sh.taken }

// Idle says that nothing waited for that long. Debts shrink by as much.
func (s *Turns[T]) Idle(while time.Duration) { s.level += while }

// readyHeap implements container/heap; the app that had least comes first.
type readyHeap[T any] []*Line[T]

func (h readyHeap[T]) Len() int           { return len(h) }
func (h readyHeap[T]) Less(i, j int) bool { return h[i].had < h[j].had }

func (h readyHeap[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push implements heap.Interface.
func (h *readyHeap[T]) Push(x any) {
	sh, _ := x.(*Line[T])
	sh.place = len(*h)
	*h = append(*h, sh)
}

// Pop implements heap.Interface.
func (h *readyHeap[T]) Pop() any {
	last := len(*h) - 1
	sh := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	sh.place = -1
	return sh
}

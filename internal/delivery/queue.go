package delivery

import (
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// queue holds the tasks that wait in one lane, in a line for each app, and remembers what
// found no room. Safe for concurrent use.
type queue struct {
	space  *share.Pool // bytes
	forgot func()      // told when something is lost and cannot be remembered

	mu        sync.Mutex
	filled    sync.Cond                    // signalled when waiting or closed change
	waiting   share.Turns[task]            // guarded by mu, as all below
	lengths   map[string]int               // tasks that wait, by app
	lost      map[string]map[skein.ID]task // a doorbell for each conversation that lost something, by app
	losers    int                          // doorbells in lost
	postponed []task                       // doorbells for what could not be read
	closed    bool
}

// maxLost bounds the conversations that are remembered to have lost events, and those that
// are postponed. Beyond it all sessions of the node are asked to sync.
const maxLost = 10_000

// Bounds of what waits in one lane. Beyond them live copies are dropped and counted; what
// was stored is read from the store later.
const (
	queueLength = 8192     // tasks of one app
	queueBytes  = 32 << 20 // of one app's tasks while the others have none
	taskBytes   = 512      // of a task beside its texts and frames
)

// newQueue is an empty queue. forgot must not wait.
func newQueue(forgot func()) *queue {
	q := &queue{
		space: share.New(2 * queueBytes), forgot: forgot, waiting: share.NewTurns[task](),
		lengths: make(map[string]int), lost: make(map[string]map[skein.ID]task),
	}
	q.filled.L = &q.mu
	return q
}

// put adds a task without waiting and reports whether there was room. After close there is
// none.
func (q *queue) put(t task) bool {
	room := q.space.Take(t.app, weight(t), 0)
	q.mu.Lock()
	defer q.mu.Unlock()
	if !room || q.closed || q.lengths[t.app] >= queueLength {
		if room {
			q.space.Give(t.app, weight(t))
		}
		q.lose(t)
		return false
	}
	q.push(t)
	return true
}

// push lets a task wait. mu is held.
func (q *queue) push(t task) {
	q.lengths[t.app]++
	q.waiting.Push(t.app, t)
	q.filled.Signal()
}

// take waits for a task and takes it; settle follows. No line means that the queue is
// closed and empty.
func (q *queue) take() (task, *share.Line[task]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.waiting.Next(nil) == nil {
		if q.closed {
			return task{}, nil
		}
		since := time.Now()
		q.filled.Wait()
		q.waiting.Idle(time.Since(since))
	}
	line := q.waiting.Next(nil)
	t := q.waiting.Take(line, 0)
	if q.lengths[t.app]--; q.lengths[t.app] == 0 {
		delete(q.lengths, t.app)
		q.recall(t.app)
	}
	q.space.Give(t.app, weight(t))
	return t, line
}

// settle charges an app for the time that its task took.
func (q *queue) settle(line *share.Line[task], took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting.Charge(line, took)
	line.Release()
}

// lose remembers a task that found no room, as a doorbell for its conversation, which is
// put in line when the app's other tasks are done. mu is held.
func (q *queue) lose(t task) {
	if q.closed || t.upto == (position{}) {
		return
	}
	all := q.lost[t.app]
	known, found := all[t.conv]
	switch {
	case found:
		t.first, t.upto = earlier(known.first, t.first), known.upto.past(t.upto)
	case q.losers == maxLost:
		q.forgot()
		return
	case all == nil:
		all = make(map[skein.ID]task)
		q.lost[t.app] = all
	}
	all[t.conv] = doorbell(t)
	if !found {
		q.losers++
	}
	if q.lengths[t.app] == 0 {
		q.recall(t.app)
	}
}

// recall puts one of the doorbells of an app in line. mu is held.
func (q *queue) recall(app string) {
	if q.closed {
		return
	}
	for conv, t := range q.lost[app] {
		if delete(q.lost[app], conv); len(q.lost[app]) == 0 {
			delete(q.lost, app)
		}
		q.losers--
		q.push(t)
		return
	}
}

// postpone remembers a task that failed until retry.
func (q *queue) postpone(t task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed || t.upto == (position{}):
	case len(q.postponed) == maxLost:
		q.forgot()
	default:
		q.postponed = append(q.postponed, doorbell(t))
	}
}

// retry puts what was postponed in line.
func (q *queue) retry() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range q.postponed {
		q.lose(t)
	}
	q.postponed = nil
}

// doorbell is a task without what it was to deliver, which the store has.
func doorbell(t task) task {
	return task{app: t.app, conv: t.conv, first: t.first, upto: t.upto}
}

// earlier is the lesser place in each log; zero is none.
func earlier(a, b position) position {
	return position{first(a.seq, b.seq), first(a.change, b.change)}
}

// first is the lesser of two numbers of which zero is none.
func first(a, b int64) int64 {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// close refuses further tasks; those that wait are still taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Signal()
}

// weight is about what a task holds in memory. A doorbell holds next to nothing, and what
// was lost must not be lost again for want of room.
func weight(t task) int64 {
	const listener = 32
	n := taskBytes
	switch {
	case t.sent != nil:
		n += len(t.sent.Text) + len(t.sent.Attr) + len(t.sent.URL)
	case t.event != nil:
		n += len(t.event.Frame) + len(t.event.Blank) + listener*len(t.event.Audience)
	case t.edits != nil:
		for i := range t.edits {
			n += listener * (1 + len(t.edits[i].Clients))
		}
	default:
		return 0
	}
	return int64(n)
}

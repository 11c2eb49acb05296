package delivery

import (
	"sync"
	"time"

	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/share"
)

// queue holds the events that wait in one lane, in a line for each app. Safe for
// concurrent use.
type queue struct {
	room *share.Pool // bytes

	mu      sync.Mutex
	filled  sync.Cond              // signalled when waiting or closed change
	waiting share.Turns[bus.Event] // guarded by mu, as all below
	lengths map[string]int         // events that wait, by app
	closed  bool
}

// Bounds of what waits in one lane. Beyond them live copies are dropped and counted;
// what was stored is found by its gap.
const (
	queueLength = 8192     // events of one app
	queueBytes  = 32 << 20 // of one app's events while the others have none
	eventBytes  = 512      // of an event beside its frames
)

func newQueue() *queue {
	q := &queue{room: share.New(2*queueBytes, 1), waiting: share.NewTurns[bus.Event](), lengths: make(map[string]int)}
	q.filled.L = &q.mu
	return q
}

// put adds an event without waiting and reports whether there was room. After close
// there is none.
func (q *queue) put(e bus.Event) bool {
	if !q.room.Take(e.App, weight(e), 0) {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.lengths[e.App] == queueLength {
		q.room.Give(e.App, weight(e))
		return false
	}
	q.lengths[e.App]++
	q.waiting.Push(e.App, e)
	q.filled.Signal()
	return true
}

// take waits for an event and takes it; settle follows. No line means that the queue is
// closed and empty.
func (q *queue) take() (bus.Event, *share.Line[bus.Event]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.waiting.Next(nil) == nil {
		if q.closed {
			return bus.Event{}, nil
		}
		since := time.Now()
		q.filled.Wait()
		q.waiting.Idle(time.Since(since))
	}
	line := q.waiting.Next(nil)
	e := q.waiting.Take(line, 0)
	if q.lengths[e.App]--; q.lengths[e.App] == 0 {
		delete(q.lengths, e.App)
	}
	q.room.Give(e.App, weight(e))
	return e, line
}

// settle charges an app for the time that its event took.
func (q *queue) settle(line *share.Line[bus.Event], took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting.Charge(line, took)
	line.Release()
}

// close refuses further events; those that wait are still taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Signal()
}

// weight is about what an event holds in memory.
func weight(e bus.Event) int64 { return int64(eventBytes + len(e.Frame) + len(e.Blank)) }

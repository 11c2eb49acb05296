package delivery

import (
	"slices"
	"sync"
	"time"

	"github.com/skein-im/skein"
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
	lost    map[string][]lost      // places that lost events, by app
	losers  int                    // places in lost
	closed  bool
}

// lost is a conversation of which events found no room, and the first of them in either
// log; zero: none.
type lost struct {
	conv        skein.ID
	seq, change int64
}

// maxLost bounds the conversations that are remembered to have lost events. What others
// lose is left to the clients, who see a gap when something follows.
const maxLost = 10_000

// Bounds of what waits in one lane. Beyond them live copies are dropped and counted;
// what was stored is found by its gap.
const (
	queueLength = 8192     // events of one app
	queueBytes  = 32 << 20 // of one app's events while the others have none
	eventBytes  = 512      // of an event beside its frames
)

func newQueue() *queue {
	q := &queue{room: share.New(2*queueBytes, 1), waiting: share.NewTurns[bus.Event](), lengths: make(map[string]int), lost: make(map[string][]lost)}
	q.filled.L = &q.mu
	return q
}

// put adds an event without waiting and reports whether there was room. After close
// there is none.
func (q *queue) put(e bus.Event) bool {
	room := q.room.Take(e.App, weight(e), 0)
	q.mu.Lock()
	defer q.mu.Unlock()
	if !room || q.closed || q.lengths[e.App] == queueLength {
		if room {
			q.room.Give(e.App, weight(e))
		}
		q.lose(e)
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
		q.recall(e.App)
	}
	q.room.Give(e.App, weight(e))
	return e, line
}

// lose remembers where an event of either log was lost. mu is held.
func (q *queue) lose(e bus.Event) {
	if q.closed || e.Seq == 0 && e.Change == 0 {
		return
	}
	all := q.lost[e.App]
	i := slices.IndexFunc(all, func(l lost) bool { return l.conv == e.Conv })
	if i < 0 {
		if q.losers == maxLost {
			return
		}
		q.losers++
		i, all = len(all), append(all, lost{conv: e.Conv})
		q.lost[e.App] = all
	}
	all[i].seq, all[i].change = first(all[i].seq, e.Seq), first(all[i].change, e.Change)
	if q.lengths[e.App] == 0 {
		q.recall(e.App)
	}
}

// first is the lesser of two numbers of which zero is none.
func first(a, b int64) int64 {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// recall puts one of the places of an app that lost events in its line, as an event
// without a frame. mu is held.
func (q *queue) recall(app string) {
	all := q.lost[app]
	if len(all) == 0 || q.closed {
		return
	}
	l := all[len(all)-1]
	if q.lost[app] = all[:len(all)-1]; len(all) == 1 {
		delete(q.lost, app)
	}
	q.losers--
	q.lengths[app]++
	q.waiting.Push(app, bus.Event{App: app, Conv: l.conv, Seq: l.seq, Change: l.change})
	q.filled.Signal()
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
func weight(e bus.Event) int64 {
	if isRecall(e) {
		return 0
	}
	return int64(eventBytes + len(e.Frame) + len(e.Blank))
}

// isRecall tells a place that lost events from an event.
func isRecall(e bus.Event) bool { return e.Frame == nil && (e.Seq != 0 || e.Change != 0) }

package committer

import (
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// queue holds the drafts that no batch has taken yet. Apps get equal shares of the committer's
// time. It is bounded in drafts and bytes, and an app may hold at most as much as it leaves
// free: an app that fills its part is refused, while the others still find space.
type queue struct {
	max holding

	mu      sync.Mutex
	filled  sync.Cond           // signalled when drafts or closed change
	waiting share.Turns[*draft] // guarded by mu, as all below
	held    map[string]holding  // what waits, by app
	all     holding
	closed  bool
}

// holding is an amount of drafts that wait.
type holding struct{ drafts, bytes int }

func (h holding) plus(o holding) holding { return holding{h.drafts + o.drafts, h.bytes + o.bytes} }
func (h holding) minus(o holding) holding {
	return holding{h.drafts - o.drafts, h.bytes - o.bytes}
}

func newQueue(opt Options) *queue {
	q := &queue{max: holding{opt.Jobs, opt.Bytes}, waiting: share.NewTurns[*draft](), held: make(map[string]holding)}
	q.filled.L = &q.mu
	return q
}

// put adds the drafts of a call, which count as one app's, all or none. Errors:
// ErrUnavailable, with the time to come back when the app's part of the queue is full.
func (q *queue) put(app string, drafts []*draft) error {
	var more holding
	for _, d := range drafts {
		more = more.plus(d.holding())
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return skein.ErrUnavailable
	}
	left := q.max.minus(q.all).minus(more).minus(q.held[app]).minus(more)
	if left.drafts < 0 || left.bytes < 0 {
		return skein.Later(skein.ErrUnavailable, time.Second)
	}
	for _, d := range drafts {
		d.line = q.waiting.Push(app, d)
	}
	q.all = q.all.plus(more)
	q.held[drafts[0].line.App()] = q.held[app].plus(more)
	q.filled.Signal()
	return nil
}

// Await blocks until drafts wait. It returns how many, and when the next one was queued. Zero:
// the queue is closed and empty.
func (q *queue) Await() (drafts int, since time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.waiting.Next(nil) == nil {
		if q.closed {
			return 0, time.Time{}
		}
		idle := time.Now()
		q.filled.Wait()
		q.waiting.Idle(time.Since(idle))
	}
	return q.all.drafts, q.waiting.Next(nil).First().call.since
}

// take takes at most limit of the drafts that wait. settle follows.
func (q *queue) take(into []*draft, limit int) []*draft {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(into) < limit {
		line := q.waiting.Next(nil)
		if line == nil {
			break
		}
		d := q.waiting.Take(line, line.First().cost())
		q.all = q.all.minus(d.holding())
		if left := q.held[line.App()].minus(d.holding()); left.drafts > 0 {
			q.held[line.App()] = left
		} else {
			delete(q.held, line.App())
		}
		into = append(into, d)
	}
	return into
}

// settle charges the apps for what a batch took, each for its part.
func (q *queue) settle(batch []*draft, took time.Duration) {
	var sum time.Duration
	for _, d := range batch {
		sum += d.cost()
	}
	part := float64(took) / float64(max(sum, 1))
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, d := range batch {
		q.waiting.Charge(d.line, time.Duration(float64(d.cost())*part)-d.cost())
		d.line.Release()
	}
}

// close refuses further drafts; those that wait can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Broadcast()
}

// Depth is how many drafts wait now.
func (q *queue) Depth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all.drafts
}

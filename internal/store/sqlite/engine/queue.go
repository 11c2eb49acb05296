package engine

import (
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// Job is one write waiting for the group commit that takes it. The waiting call
// owns it until it is queued and again once the call is done.
type Job struct {
	App   string            // the app that is charged for it; empty: the operator
	Run   func(Group) error // runs again in another group if this one fails
	Whole bool              // Run changes nothing unless it succeeds, so it needs no savepoint
	Bytes int               // about how much memory it uses
	Rows  int               // about how many rows it writes; zero: one
	Err   error             // its answer, once the call is done

	call  *call
	share *share.Line[*Job]
	cost  time.Duration // estimated time of the writer; see guess
	took  time.Duration // time in the group that ran it last
}

// Estimates of what a row and a byte of a job cost the writer. They decide which jobs share a
// commit; an app is charged for the time that its jobs really took.
const (
	rowCost  = 20 * time.Microsecond
	byteCost = 5 * time.Nanosecond
)

func (j *Job) guess() time.Duration {
	return time.Duration(max(j.Rows, 1))*rowCost + time.Duration(j.Bytes)*byteCost
}

// call is a caller waiting for its jobs. Owned by the writer's loop once they are queued.
type call struct {
	ended func() error // the caller's ctx.Err: a job is not begun once its caller stopped waiting
	since time.Time    // when it was queued
	left  int          // jobs without an answer
	done  chan struct{}
}

// finish answers a job.
func (j *Job) finish(err error) {
	j.Err = err
	if j.call.left--; j.call.left == 0 {
		close(j.call.done)
	}
}

// queue holds the jobs that no group has run yet. Apps get equal shares of the writer's time.
// The queue is bounded in jobs and bytes, and an app may hold at most as much as it leaves
// free. An app that fills its part is refused, while the others still find space.
type queue struct {
	maxJobs  int
	maxBytes int

	mu      sync.Mutex
	filled  sync.Cond          // signalled when jobs or closed change
	waiting share.Turns[*Job]  // guarded by mu, as all below
	held    map[string]holding // what waits, by app
	all     holding
	closed  bool
}

// holding is an amount of waiting work.
type holding struct {
	jobs  int
	bytes int
	cost  time.Duration
}

func (h holding) plus(other holding) holding {
	return holding{h.jobs + other.jobs, h.bytes + other.bytes, h.cost + other.cost}
}

func (h holding) negative() holding { return holding{-h.jobs, -h.bytes, -h.cost} }

// holding is what the job takes of the queue.
func (j *Job) holding() holding { return holding{1, j.Bytes, j.cost} }

// maxWait bounds the waiting work of one app, in the writer's time. More is refused at once.
const maxWait = 10 * time.Second

// refused is why the queue refused a job: the reason in metrics.
type refused string

const (
	refusedClosed refused = "closed"
	refusedJobs   refused = "jobs"
	refusedBytes  refused = "bytes"
	refusedTime   refused = "time"
)

func newQueue(maxJobs, maxBytes int) *queue {
	q := &queue{maxJobs: maxJobs, maxBytes: maxBytes, waiting: share.NewTurns[*Job](), held: make(map[string]holding)}
	q.filled.L = &q.mu
	return q
}

// put adds all jobs of a call, which belong to one app, or refuses them all at once. Errors:
// ErrUnavailable; if the app's part of the queue is full, with the time when to try again.
func (q *queue) put(jobs []*Job) (refused, error) {
	now, more := time.Now(), holding{jobs: len(jobs)}
	for _, j := range jobs {
		j.cost = j.guess()
		more.bytes += j.Bytes
		more.cost += j.cost
	}
	app := jobs[0].App
	q.mu.Lock()
	defer q.mu.Unlock()
	if why := q.refusal(app, more); why != "" {
		if why == refusedClosed {
			return why, errClosed
		}
		return why, skein.Later(skein.ErrUnavailable, time.Second)
	}
	for _, j := range jobs {
		j.call.since = now
		j.share = q.waiting.Push(app, j)
	}
	q.hold(jobs[0].share.App(), more)
	q.filled.Signal()
	return "", nil
}

// refusal is why an app may not queue more. Empty: it may.
func (q *queue) refusal(app string, more holding) refused {
	all, held := q.all.plus(more), q.held[app].plus(more)
	switch {
	case q.closed:
		return refusedClosed
	case held.jobs > q.maxJobs-all.jobs:
		return refusedJobs
	case held.bytes > q.maxBytes-all.bytes:
		return refusedBytes
	case held.cost > maxWait && held.jobs > more.jobs:
		return refusedTime
	default:
		return ""
	}
}

// hold adds to what an app has in the queue. Negative amounts subtract.
func (q *queue) hold(app string, more holding) {
	q.all = q.all.plus(more)
	if held := q.held[app].plus(more); held.jobs > 0 {
		q.held[app] = held
	} else {
		delete(q.held, app)
	}
}

// Await blocks until the queue has jobs. It returns how many, and when the next one was queued.
// Zero: the queue is closed and empty.
func (q *queue) Await() (jobs int, since time.Time) {
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
	return q.all.jobs, q.waiting.Next(nil).First().call.since
}

// take moves the jobs of one group into the given slice: up to limit, and no more than can
// probably be done within budget, but at least one if any wait. The caller then calls settle,
// and before it putBack for jobs that it did not begin.
func (q *queue) take(into []*Job, limit int, budget time.Duration) []*Job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(into) < limit {
		sh := q.waiting.Next(nil)
		if sh == nil || len(into) > 0 && sh.First().cost > budget {
			break
		}
		j := q.waiting.Take(sh, sh.First().cost)
		budget -= j.cost
		q.hold(sh.App(), j.holding().negative())
		into = append(into, j)
	}
	return into
}

// putBack returns the last of the taken jobs to the queue. They were not begun.
func (q *queue) putBack(jobs []*Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range jobs {
		q.waiting.PutBack(j.share, j.cost)
		q.hold(j.share.App(), j.holding())
	}
}

// settle charges the apps for the time of a finished group: each for the time of its own jobs,
// and in proportion for the rest, such as the sync.
func (q *queue) settle(jobs []*Job, group time.Duration) {
	var sum time.Duration
	for _, j := range jobs {
		sum += j.took
	}
	part := float64(group) / float64(max(sum, 1))
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range jobs {
		q.waiting.Charge(j.share, time.Duration(float64(j.took)*part)-j.cost)
		j.share.Release()
	}
}

// close refuses further jobs. Waiting jobs can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Broadcast()
}

// Depth is how many jobs wait.
func (q *queue) Depth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all.jobs
}

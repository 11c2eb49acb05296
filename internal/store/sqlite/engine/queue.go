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
	App   string            // whose share it is taken from; empty: the operator's
	Run   func(Group) error // may run again in another group, if this one was given up
	Whole bool              // Run changes nothing unless it succeeds, so it needs no savepoint
	Bytes int               // about how much memory it holds
	Rows  int               // about how many rows it writes; zero: one
	Err   error             // its answer, once the call is done

	call  *call
	share *share.Line[*Job]
	cost  time.Duration // of the writer, as it was guessed; see guess
	took  time.Duration // in the group that ran it last
}

// About what a row and a byte of a job cost the writer. The guess decides which jobs share a
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
	ended func() error // the caller's ctx.Err: a job nobody waits for any more is not begun
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

// holding is the amount of work that waits.
type holding struct {
	jobs  int
	bytes int
	cost  time.Duration
}

func (h holding) plus(other holding) holding {
	return holding{h.jobs + other.jobs, h.bytes + other.bytes, h.cost + other.cost}
}

func (h holding) negative() holding { return holding{-h.jobs, -h.bytes, -h.cost} }

// holding is the job's part of the queue.
func (j *Job) holding() holding { return holding{1, j.Bytes, j.cost} }

// maxWait bounds the work that may wait for one app, in the writer's time. More is refused at
// once.
const maxWait = 10 * time.Second

// refused is why the queue did not take a job: the reason in metrics.
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

// put adds the jobs of a call, which are all of one app, all or none, or says at once
// why not. Errors: ErrUnavailable, with the time to come back when the app's part of
// the queue is full.
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

// refusal is why an app may not queue more; empty: it may.
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

// await waits until jobs wait, and says how many and since when the next one is; none: the
// queue is closed and empty.
func (q *queue) await() (jobs int, since time.Time) {
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

// take takes the jobs of one group into the slice it is given: up to limit, and no more
// than may be done in budget, as it is guessed, but one at least, if any wait. settle
// follows, or putBack for the last of them and then settle.
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

// putBack undoes the take of these jobs, the last that were taken: they were not begun.
func (q *queue) putBack(jobs []*Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range jobs {
		q.waiting.PutBack(j.share, j.cost)
		q.hold(j.share.App(), j.holding())
	}
}

// settle charges the apps for what their jobs took, which are a group that is over;
// the group's own time, such as for its sync, they bear by what each took.
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

// close refuses further jobs; those that wait can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Broadcast()
}

// depth is how many jobs wait now.
func (q *queue) depth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all.jobs
}

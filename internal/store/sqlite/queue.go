package sqlite

import (
	"sync"
	"time"

	"github.com/skein-im/skein"
)

// job is one write waiting for the group commit that takes it. The waiting call
// owns it until it is queued and again once the call is done.
type job struct {
	run   func(*group) error // may run again in another group, if this one was given up
	whole bool               // run changes nothing unless it succeeds, so it needs no savepoint
	bytes int                // about how much memory it holds

	call *call
	err  error
}

// call is somebody who waits for jobs of its own. Owned by the writer's loop once
// they are queued.
type call struct {
	ended func() error // the caller's ctx.Err: a job nobody waits for any more is not begun
	left  int          // jobs without an answer
	done  chan struct{}
}

// finish answers a job.
func (j *job) finish(err error) {
	j.err = err
	if j.call.left--; j.call.left == 0 {
		close(j.call.done)
	}
}

// queue holds the jobs that no group has taken yet, bounded in number and bytes.
type queue struct {
	maxJobs  int
	maxBytes int

	mu      sync.Mutex
	filled  sync.Cond // signalled when jobs or closed change
	waiting []*job    // guarded by mu, as all below
	bytes   int
	closed  bool
}

func newQueue(maxJobs, maxBytes int) *queue {
	q := &queue{maxJobs: maxJobs, maxBytes: maxBytes}
	q.filled.L = &q.mu
	return q
}

// put adds the jobs of a call, all or none, or says at once why not. Errors:
// ErrUnavailable, with the time to come back when the queue is full.
func (q *queue) put(jobs []*job) error {
	bytes := 0
	for _, j := range jobs {
		bytes += j.bytes
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errClosed
	case len(q.waiting)+len(jobs) > q.maxJobs || q.bytes+bytes > q.maxBytes:
		return skein.Later(skein.ErrUnavailable, time.Second)
	}
	q.waiting = append(q.waiting, jobs...)
	q.bytes += bytes
	q.filled.Signal()
	return nil
}

// take waits for jobs and moves up to limit of them into the slice it is given.
// None means that the queue is closed and empty.
func (q *queue) take(into []*job, limit int) []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && !q.closed {
		q.filled.Wait()
	}
	n := min(limit, len(q.waiting))
	into = append(into, q.waiting[:n]...)
	for _, j := range into {
		q.bytes -= j.bytes
	}
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	return into
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
	return len(q.waiting)
}

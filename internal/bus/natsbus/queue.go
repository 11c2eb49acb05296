package natsbus

import "sync"

// outgoing is an encoded event and its subject.
type outgoing struct {
	subject string
	data    []byte
}

// queue holds the events that wait to be published, so that a publisher does not wait for
// the network. Safe for concurrent use.
type queue struct {
	maxEvents, maxBytes int

	mu      sync.Mutex
	filled  sync.Cond // signalled when waiting or closed change
	waiting []outgoing
	spare   []outgoing // what was taken last, to be used again
	bytes   int
	closed  bool
}

func newQueue(maxEvents, maxBytes int) *queue {
	q := &queue{maxEvents: maxEvents, maxBytes: maxBytes}
	q.filled.L = &q.mu
	return q
}

// put adds an event without waiting and reports whether there was room.
func (q *queue) put(o outgoing) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.waiting) >= q.maxEvents || q.bytes+len(o.data) > q.maxBytes {
		return false
	}
	q.waiting = append(q.waiting, o)
	q.bytes += len(o.data)
	if len(q.waiting) == 1 {
		q.filled.Signal()
	}
	return true
}

// keptEvents bounds the memory that is kept for the next events.
const keptEvents = 1024

// take waits for events and takes all of them. The caller must not keep the slice longer
// than until its next call. open is false when nothing more comes.
func (q *queue) take() (all []outgoing, open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && !q.closed {
		q.filled.Wait()
	}
	all = q.waiting
	clear(q.spare[:cap(q.spare)])
	q.waiting, q.bytes = q.spare[:0], 0
	if q.spare = nil; cap(all) <= keptEvents {
		q.spare = all
	}
	return all, !q.closed
}

// close refuses further events; those that wait are still taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Signal()
}

package hub

import "sync"

// queue holds sessions with frames to write, and counts the writers that take sessions
// from it: never more than its limit, and none while it is empty. A writer that has to
// wait for a socket leaves the queue to a new writer and stays with that session alone.
// Putting a session into the queue allocates nothing.
type queue struct {
	limit int    // of writers that take from it
	run   func() // write; bound once, so that starting a writer allocates nothing

	mu      sync.Mutex
	first   *Session  // linked by Session.behind; guarded by mu
	last    *Session  // guarded by mu
	writers int       // that take from it; guarded by mu
	left    int       // writers that wait for a socket; guarded by mu
	ended   sync.Cond // a writer ended
}

func (q *queue) init(limit int) {
	q.limit = limit
	q.run = q.write
	q.ended.L = &q.mu
}

// push puts a session behind the others, unless it is among them.
func (q *queue) push(s *Session) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s.queued {
		return
	}
	s.queued = true
	if q.first == nil {
		q.first = s
	} else {
		q.last.behind = s
	}
	q.last = s
	q.start()
}

// start starts a writer if a session waits and there are fewer writers than the limit.
// mu is held.
func (q *queue) start() {
	if q.first != nil && q.writers < q.limit {
		q.writers++
		go q.run()
	}
}

// pop takes the next session; nil: there is none. mu is held.
func (q *queue) pop() *Session {
	s := q.first
	if s == nil {
		return nil
	}
	q.first, s.behind = s.behind, nil
	s.queued = false
	return s
}

// wait waits until no writer is left.
func (q *queue) wait() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.writers+q.left > 0 {
		q.ended.Wait()
	}
}

// write writes for one session after the other until there is none.
func (q *queue) write() {
	w := writers.Get().(*writer)
	w.queue = q
	for s := w.next(); s != nil; s = w.next() {
		s.flush(w.leave)
	}
	w.queue, w.away = nil, false
	writers.Put(w)
}

// writer is a goroutine that writes for the sessions of a queue.
type writer struct {
	queue *queue
	away  bool   // it left the queue
	leave func() // leaveQueue; bound once
}

var writers = sync.Pool{New: func() any {
	w := new(writer)
	w.leave = w.leaveQueue
	return w
}}

// next is the session to write for; nil: the writer is done.
func (w *writer) next() *Session {
	q := w.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.away {
		q.left--
	} else if s := q.pop(); s != nil {
		return s
	} else {
		q.writers--
	}
	if q.writers+q.left == 0 {
		q.ended.Broadcast()
	}
	return nil
}

// leaveQueue is called before the writer waits for a socket: another takes its place.
func (w *writer) leaveQueue() {
	if w.away {
		return
	}
	w.away = true
	q := w.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writers--
	q.left++
	q.start()
}

package socket

import "sync"

// connections is the list of open sockets, logged in or not. Its lock is taken when a
// socket is added or removed.
type connections struct {
	mu     sync.Mutex
	closed bool  // guarded by mu
	first  *conn // linked by conn.older and conn.newer; guarded by mu
	count  int   // guarded by mu
}

// add adds a socket and calls start under the lock. It reports false after shut.
func (l *connections) add(c *conn, start func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	c.older = l.first
	if l.first != nil {
		l.first.newer = c
	}
	l.first = c
	l.count++
	start()
	return true
}

func (l *connections) remove(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		l.first = c.older
	}
	if c.older != nil {
		c.older.newer = c.newer
	}
	c.older, c.newer = nil, nil
	l.count--
}

// shut makes every later add fail.
func (l *connections) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// each calls do for every open socket, without holding the lock.
func (l *connections) each(do func(*conn)) {
	l.mu.Lock()
	all := make([]*conn, 0, l.count)
	for c := l.first; c != nil; c = c.older {
		all = append(all, c)
	}
	l.mu.Unlock()
	for _, c := range all {
		do(c)
	}
}

func (l *connections) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

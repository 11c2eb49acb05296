package socket

import (
	"sync"

	"github.com/skein-im/skein"
)

// roster is the open sockets, logged in or not, and how many each address has. Its
// lock is taken when a socket comes and goes, never while it lives.
type roster struct {
	mu     sync.Mutex
	limit  int // per address; negative: none
	closed bool
	first  *conn // linked by conn.older and conn.newer
	count  int
	byAddr map[string]int // sockets and reservations
}

func (r *roster) init(limit int) {
	r.limit = limit
	r.byAddr = make(map[string]int)
}

// reserve takes a place for a socket of the address, before its handshake. enter
// or release follows. Errors: skein.ErrUnavailable, skein.ErrRateLimited.
func (r *roster) reserve(addr string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return skein.ErrUnavailable
	}
	if r.limit >= 0 && r.byAddr[addr] >= r.limit {
		return &skein.Fault{Err: skein.ErrRateLimited, Detail: "too many sockets from this address"}
	}
	r.byAddr[addr]++
	return nil
}

// enter adds a socket whose place is reserved and calls start under the lock; it
// reports false if the roster was shut since.
func (r *roster) enter(c *conn, start func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	c.older = r.first
	if r.first != nil {
		r.first.newer = c
	}
	r.first = c
	r.count++
	start()
	return true
}

// leave takes a socket out and gives its place back.
func (r *roster) leave(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		r.first = c.older
	}
	if c.older != nil {
		c.older.newer = c.newer
	}
	c.older, c.newer = nil, nil
	r.count--
	r.free(c.addr)
}

// release gives back a place that was not taken.
func (r *roster) release(addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free(addr)
}

// free gives a place back. mu is held.
func (r *roster) free(addr string) {
	if r.byAddr[addr]--; r.byAddr[addr] <= 0 {
		delete(r.byAddr, addr)
	}
}

// shut lets no socket in any more.
func (r *roster) shut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// each calls do for the sockets that are open now, without the lock.
func (r *roster) each(do func(*conn)) {
	r.mu.Lock()
	all := make([]*conn, 0, r.count)
	for c := r.first; c != nil; c = c.older {
		all = append(all, c)
	}
	r.mu.Unlock()
	for _, c := range all {
		do(c)
	}
}

// size counts the open sockets.
func (r *roster) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

package socket

import (
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/recent"
)

// roster is the open sockets, logged in or not, how many each address has, and how
// fast it shakes hands. Its lock is taken when a socket comes and goes, never while
// it lives.
type roster struct {
	mu         sync.Mutex
	limit      int // sockets of an address; negative: none
	most       int // sockets in all; negative: no bound
	handshakes int // of an address a second; negative: no bound
	closed     bool
	first      *conn // linked by conn.older and conn.newer
	count      int
	reserved   int            // sockets and reservations
	byAddr     map[string]int // the same, by address
	// paces says when an address may shake as many hands at once as ever; Unix
	// nanoseconds.
	paces *recent.Map[string, int64]
}

const (
	// maxPaces bounds the addresses whose handshakes are counted.
	maxPaces = 10_000
	// handshakeBurst is how many seconds' worth of handshakes an address may do at
	// once, as when all its sockets come back behind a restart.
	handshakeBurst = 20 * time.Second
)

func (r *roster) init(o Options) {
	r.limit, r.most, r.handshakes = o.MaxPerAddress, o.MaxSockets, o.HandshakeRate
	r.byAddr = make(map[string]int)
	r.paces = recent.New[string, int64](maxPaces)
}

var (
	errManySockets    = &skein.Fault{Err: skein.ErrRateLimited, Detail: "too many sockets from this address"}
	errManyHandshakes = &skein.Fault{Err: skein.ErrRateLimited, Detail: "too many handshakes from this address"}
	errFull           = &skein.Fault{Err: skein.ErrUnavailable, Detail: "too many sockets"}
)

// reserve takes a place for a socket of the address, before its handshake. enter
// or release follows. Errors: skein.ErrUnavailable, skein.ErrRateLimited.
func (r *roster) reserve(addr string, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return skein.ErrUnavailable
	case r.limit >= 0 && r.byAddr[addr] >= r.limit:
		return errManySockets
	case r.most >= 0 && r.reserved >= r.most:
		return errFull
	case r.handshakes >= 0 && !r.shake(addr, 1, now):
		return errManyHandshakes
	}
	r.byAddr[addr]++
	r.reserved++
	return nil
}

// shake counts n handshakes of an address, as far as it has them, and reports
// whether it had that many. mu is held.
func (r *roster) shake(addr string, n int, now time.Time) bool {
	at := now.UnixNano()
	full, _ := r.paces.Get(addr)
	if full-at > int64(handshakeBurst) { // the clock has been put back
		full = at
	}
	full = max(full, at) + int64(n)*int64(time.Second)/int64(r.handshakes)
	most := at + int64(handshakeBurst)
	r.paces.Put(addr, min(full, most))
	return full <= most
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

// leave takes a socket out and gives its place back. Its address pays strikes
// handshakes, so far as it has them.
func (r *roster) leave(c *conn, strikes int, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if strikes > 0 && r.handshakes >= 0 {
		r.shake(c.addr, strikes, now)
	}
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
	r.reserved--
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

// places counts the sockets and those that are about to be.
func (r *roster) places() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reserved
}

// size counts the open sockets.
func (r *roster) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

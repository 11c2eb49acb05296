// Package admission decides which sockets a node accepts. It bounds the sockets of the
// node, of a remote address and of an app, and how often an address may connect. It
// knows no connection: it counts addresses and app ids.
package admission

import (
	"errors"
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/recent"
	"github.com/skein-im/skein/internal/share"
)

// Options are the bounds of one node. A negative number is no bound.
type Options struct {
	MaxSockets         int // of the node, logged in or not; an app may have all but 256, or a sixteenth of fewer than 4,096
	MaxUnauthenticated int // not logged in; an address may have at most half of them
	MaxPerAddress      int // of one remote address
	HandshakeRate      int // a second, of one remote address; 20 s' worth at once
}

// Errors of Reserve.
var (
	ErrAddress    error = &skein.Fault{Err: skein.ErrRateLimited, Detail: "too many sockets from this address"}
	ErrHandshakes error = &skein.Fault{Err: skein.ErrRateLimited, Detail: "too many handshakes from this address"}
	ErrFull       error = &skein.Fault{Err: skein.ErrUnavailable, Detail: "too many sockets"}
)

const (
	// reservePart and maxReserve are the part of a node's sockets that is kept for the
	// first sockets of further apps. It is small, since a node may have only one app: after
	// the loss of another node all of that app's clients come here.
	reservePart = 16
	minReserve  = 2 // one of them may be taken: see share.Pool
	maxReserve  = 256
	// maxRates bounds the addresses whose handshake rate is kept.
	maxRates = 10_000
	// handshakeBurst is how many seconds' worth of handshakes an address may use at
	// once, as when all its clients reconnect after a restart.
	handshakeBurst = 20 * time.Second
)

// Control counts the sockets of a node. Its locks are taken when a socket connects,
// logs in or ends. Safe for concurrent use.
type Control struct {
	opts            Options
	apps            *share.Pool // logged-in sockets, by app
	unauthenticated *share.Pool // the others, by address

	mu      sync.Mutex
	sockets int            // guarded by mu
	byAddr  map[string]int // sockets of each address; guarded by mu
	// rates has, for each address, when its full burst is available again, in Unix
	// nanoseconds; guarded by mu.
	rates *recent.Map[string, int64]
}

// New makes a Control that has no socket yet.
func New(o Options) *Control {
	return &Control{
		opts:            o,
		apps:            share.NewReserving(int64(o.MaxSockets), reserve(int64(o.MaxSockets))),
		unauthenticated: share.New(int64(o.MaxUnauthenticated)),
		byAddr:          make(map[string]int),
		rates:           recent.New[string, int64](maxRates),
	}
}

func reserve(sockets int64) int64 { return min(max(sockets/reservePart, minReserve), maxReserve) }

// Reserve counts a socket of the address before its handshake. Release or Leave must
// follow. Errors: ErrFull, ErrAddress, ErrHandshakes.
func (c *Control) Reserve(addr string, now time.Time) error {
	if !c.unauthenticated.Take(addr, 1, 0) {
		return ErrFull
	}
	err := c.reserve(addr, now)
	if err != nil {
		c.unauthenticated.Give(addr, 1)
	}
	return err
}

func (c *Control) reserve(addr string, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch o := c.opts; {
	case o.MaxPerAddress >= 0 && c.byAddr[addr] >= o.MaxPerAddress:
		return ErrAddress
	case o.MaxSockets >= 0 && c.sockets >= o.MaxSockets:
		return ErrFull
	case o.HandshakeRate >= 0 && !c.charge(addr, 1, now):
		return ErrHandshakes
	}
	c.byAddr[addr]++
	c.sockets++
	return nil
}

// charge takes n handshakes from the burst of an address, or all that is left of it.
// It reports whether there were n. mu is held.
func (c *Control) charge(addr string, n int, now time.Time) bool {
	at := now.UnixNano()
	full, _ := c.rates.Get(addr)
	if full-at > int64(handshakeBurst) { // the clock was set back
		full = at
	}
	full = max(full, at) + int64(n)*int64(time.Second)/int64(c.opts.HandshakeRate)
	latest := at + int64(handshakeBurst)
	c.rates.Put(addr, min(full, latest))
	return full <= latest
}

// LogIn moves a socket from its address to an app, and reports whether the app may have
// one more. most bounds the sockets of the app; zero: only its share does.
func (c *Control) LogIn(addr, app string, most int) bool {
	if !c.apps.Take(app, 1, int64(most)) {
		return false
	}
	c.unauthenticated.Give(addr, 1)
	return true
}

// UndoLogIn moves a socket back to its address, even beyond the bound there.
func (c *Control) UndoLogIn(addr, app string) {
	c.apps.Give(app, 1)
	c.unauthenticated.Force(addr, 1)
}

// Release removes a socket whose handshake failed.
func (c *Control) Release(addr string) { c.Leave(addr, "", 0, time.Time{}) }

// Leave removes a socket that ended; app is empty if it was not logged in. Its address
// pays penalty handshakes, or as many as it has left.
func (c *Control) Leave(addr, app string, penalty int, now time.Time) {
	if app != "" {
		c.apps.Give(app, 1)
	} else {
		c.unauthenticated.Give(addr, 1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if penalty > 0 && c.opts.HandshakeRate >= 0 {
		c.charge(addr, penalty, now)
	}
	c.sockets--
	if c.byAddr[addr]--; c.byAddr[addr] <= 0 {
		delete(c.byAddr, addr)
	}
}

// Sockets counts the sockets, including those whose handshake has not ended.
func (c *Control) Sockets() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sockets
}

// LoggedIn counts the sockets that are logged in.
func (c *Control) LoggedIn() int { return int(c.apps.Taken()) }

// Reason names the bound that an error of Reserve reports, as metrics label it.
func Reason(err error) string {
	switch {
	case errors.Is(err, ErrAddress):
		return "address"
	case errors.Is(err, ErrHandshakes):
		return "handshakes"
	default:
		return "full"
	}
}

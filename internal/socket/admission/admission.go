// Package admission decides which sockets a node accepts. It bounds the sockets of the
// node, of a remote address and of an app, and how often an address may connect. It
// knows no connection: it counts addresses and app ids.
package admission

import (
	"errors"
	"sync"
	"time"

	"github.com/skein-im/skein"
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
	handshakes      *share.Rates

	mu      sync.Mutex
	sockets int            // guarded by mu
	byAddr  map[string]int // sockets of each address; guarded by mu
}

// New makes a Control that has no socket yet.
func New(o Options) *Control {
	return &Control{
		opts:            o,
		apps:            share.NewReserving(int64(o.MaxSockets), reserve(int64(o.MaxSockets))),
		unauthenticated: share.New(int64(o.MaxUnauthenticated)),
		byAddr:          make(map[string]int),
		handshakes:      share.NewRates(o.HandshakeRate, handshakeBurst),
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
	case !c.handshakes.Charge(addr, 1, now):
		return ErrHandshakes
	}
	c.byAddr[addr]++
	c.sockets++
	return nil
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
	if penalty > 0 {
		c.handshakes.Charge(addr, penalty, now)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
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

// Package edge bounds the connections of an HTTP listener, so that the process never runs
// out of file descriptors. When there are too many, it closes those that wait for a
// request, oldest first. It does not count connections that became sockets. Where one
// connection carries many requests (HTTP/2), it bounds those too.
package edge

import (
	"container/list"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/share"
)

// Options configure a guard. Zero and negative numbers mean no bound.
type Options struct {
	Max           int        // open connections, including Others
	Others        func() int // open connections that became sockets; nil: none
	MaxPerAddress int        // open connections of one address, and its running requests over HTTP/2

	// NewPerSecond bounds how many connections an address may open a second; 20 s' worth at
	// once. It is for TLS, where each costs a handshake.
	NewPerSecond int

	// Address is the address that a connection counts for; empty: none. It must not block.
	Address func(net.Conn) string

	Now        func() time.Time
	Log        *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// Guard counts connections: Listen reports new ones, State what becomes of them. Safe for
// concurrent use.
type Guard struct {
	opts    Options
	metrics metrics
	warning share.Warning
	opened  *share.Rates // connections, by address
	streams *share.Pool  // running requests over HTTP/2, by address

	mu      sync.Mutex
	open    map[net.Conn]*connection // by the connection below TLS
	byAddr  map[string]*address
	waiting list.List // each *connection that waits for a request, longest first
}

type connection struct {
	conn net.Conn
	of   *address
	// Its elements in the lists of waiting connections; nil: it does not wait.
	place, placeOfAddress *list.Element
}

type address struct {
	name    string
	count   int
	waiting list.List // as Guard.waiting
}

// New makes a guard.
func New(o Options) *Guard {
	if o.Others == nil {
		o.Others = func() int { return 0 }
	}
	g := &Guard{
		opts: o, open: make(map[net.Conn]*connection), byAddr: make(map[string]*address),
		opened: share.NewRates(o.NewPerSecond, newBurst), streams: share.New(-1),
	}
	if o.Max > 0 {
		g.streams = share.New(2 * int64(o.Max)) // half of it for one address
	}
	g.metrics.init(o.Registerer, g)
	return g
}

// newBurst is how many seconds' worth of new connections an address may open at once, as when all
// its clients return after a restart.
const newBurst = 20 * time.Second

// Listen wraps l, below TLS. Its Accept returns only connections that the guard admits.
func (g *Guard) Listen(l net.Listener) net.Listener { return &listener{l, g} }

type listener struct {
	net.Listener

	guard *Guard
}

// Accept waits for a connection that the guard admits.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			l.guard.failed(err)
			return nil, err
		}
		if l.guard.admit(c) {
			return c, nil
		}
		_ = c.Close() // nothing was sent yet
	}
}

// failed closes a waiting connection if the process or the machine has no file descriptor
// left.
func (g *Guard) failed(err error) {
	if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) {
		return
	}
	g.metrics.closed.WithLabelValues("no_handles").Inc()
	g.warn("no file descriptor left for a connection: raise the limit of open files", slog.Any("error", err))
	g.mu.Lock()
	defer g.mu.Unlock()
	g.evict(&g.waiting)
}

// admit counts a connection and reports whether there is room for it. If the address or
// the listener has too many, it first closes the one that has waited longest there.
func (g *Guard) admit(c net.Conn) bool {
	name := g.opts.Address(c)
	if name != "" && !g.opened.Charge(name, 1, g.opts.Now()) {
		g.refuse("rate", "too many new connections of one address", slog.String("addr", name))
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	of := g.byAddr[name]
	if of == nil {
		of = &address{name: name}
	}
	if most := g.opts.MaxPerAddress; most > 0 && name != "" && of.count >= most && !g.evict(&of.waiting) {
		g.refuse("address", "too many connections of one address", slog.String("addr", name))
		return false
	}
	if most := g.opts.Max; most > 0 && len(g.open)+g.opts.Others() >= most {
		if !g.evict(&g.waiting) {
			g.refuse("full", "too many connections")
			return false
		}
		g.warn("closing connections that wait for a request: too many are open", slog.Int("most", most))
	}
	of.count++
	g.byAddr[name] = of
	one := &connection{conn: c, of: of}
	g.open[c] = one
	g.wait(one)
	return true
}

func (g *Guard) refuse(reason, text string, attrs ...slog.Attr) {
	g.metrics.closed.WithLabelValues(reason).Inc()
	g.warn("connection refused: "+text, attrs...)
}

func (g *Guard) warn(text string, attrs ...slog.Attr) {
	g.warning.Log(g.opts.Log, g.opts.Now(), text, attrs...)
}

// evict closes the connection that has waited longest. It reports false if none waits. mu
// is held.
func (g *Guard) evict(waiting *list.List) bool {
	first := waiting.Front()
	if first == nil {
		return false
	}
	one, _ := first.Value.(*connection) // the lists hold nothing else
	g.forget(one)
	_ = one.conn.Close() // its reader fails and ends
	g.metrics.closed.WithLabelValues("idle").Inc()
	return true
}

// State is for http.Server.ConnState.
func (g *Guard) State(c net.Conn, state http.ConnState) {
	if secure, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = secure.NetConn() // of TLS: Listen knows the connection below
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.open[c]
	if one == nil {
		return // evicted
	}
	switch state {
	case http.StateNew:
	case http.StateIdle:
		g.wait(one)
	case http.StateActive:
		g.busy(one)
	case http.StateHijacked, http.StateClosed:
		g.forget(one)
	}
}

// wait adds a connection at the end of the waiting ones. mu is held.
func (g *Guard) wait(one *connection) {
	g.busy(one)
	one.place, one.placeOfAddress = g.waiting.PushBack(one), one.of.waiting.PushBack(one)
}

// busy removes a connection from the waiting ones. mu is held.
func (g *Guard) busy(one *connection) {
	if one.place != nil {
		g.waiting.Remove(one.place)
		one.of.waiting.Remove(one.placeOfAddress)
		one.place, one.placeOfAddress = nil, nil
	}
}

// forget removes a connection from all counts. mu is held.
func (g *Guard) forget(one *connection) {
	g.busy(one)
	delete(g.open, one.conn)
	if one.of.count--; one.of.count == 0 {
		delete(g.byAddr, one.of.name)
	}
}

// size counts the open connections.
func (g *Guard) size() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.open)
}

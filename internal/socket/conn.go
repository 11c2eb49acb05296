package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/socket/frame"
	"github.com/skein-im/skein/internal/wire"
)

// conn is one socket. Its reader owns the fields that have no other comment.
type conn struct {
	server *Server
	nc     net.Conn // set once
	addr   string   // admission counts the socket under it; set once

	source *access.Source // of the handshake; nil after the login

	frames     *unfinished // nil between messages
	armed      bool        // a read deadline is set; see awaitRest
	early      int32       // tokens that frames before the login have cost
	pace       pace
	session    *hub.Session // nil before the login
	app        *skein.App   // as it was at the login
	actions    []string     // that the token of the login allows
	loginBy    skein.Millis // when the time for the login ends
	rate       int32        // commands a second; zero or less: no limit
	lang       wire.Lang
	failed     int8   // failed logins
	ranCommand bool   // since the last read
	batch      *batch // commands of the current read that run together; nil: none
	order      order

	work    work
	waits   func()       // leaves the gate while a write waits for the client
	code    atomic.Int32 // the close code; zero while the socket is open
	writing sync.Mutex   // held by the goroutine that writes to nc

	older, newer *conn // guarded by connections.mu
}

func newConn(s *Server, nc net.Conn, addr string, lang wire.Lang) *conn {
	c := &conn{
		server:  s,
		nc:      nc,
		addr:    addr,
		source:  new(access.Source),
		lang:    lang,
		rate:    skein.DefaultCommandRate,
		loginBy: skein.MillisOf(s.opts.Now()).Add(s.opts.LoginWait),
	}
	c.waits = func() { c.work.pass.Leave() }
	return c
}

// serve runs the socket until it ends. early is what the client sent with the handshake.
func (c *conn) serve(early []byte) {
	_ = c.nc.SetReadDeadline(time.Now().Add(c.server.opts.LoginWait)) // fails only on a dead socket: the next read reports that
	if err := c.takeInTurn(early); err != nil {
		c.leave(err)
		return
	}
	c.receive()
}

// takeInTurn waits for the turn of the app, then handles p.
func (c *conn) takeInTurn(p []byte) error {
	if len(p) > 0 {
		c.takeTurn()
		defer c.work.pass.Leave()
	}
	return c.take(p)
}

// take passes received bytes to the frame reader.
func (c *conn) take(p []byte) error {
	switch {
	case c.closing():
		return errOver
	case c.session != nil:
		c.session.Touch()
	case skein.MillisOf(c.server.opts.Now()) > c.loginBy:
		return errNoLogin // a client that never pauses never reaches the read deadline
	}
	err := c.feed(p)
	if err == nil {
		err = c.awaitRest()
	}
	if over := c.runBatch(); err == nil { // even if a later frame ends the socket
		err = over
	}
	return err
}

// feed passes bytes to the frame reader. It keeps the reader only while a message is
// unfinished: an idle socket has none.
func (c *conn) feed(p []byte) error {
	if c.frames != nil {
		err := c.frames.Feed(p, c)
		if c.frames.Between() {
			c.dropRest()
		}
		return err
	}
	var r frame.Reader
	if err := r.Feed(p, c); err != nil {
		return err
	}
	if !r.Between() {
		c.frames = &unfinished{Reader: r}
	}
	return nil
}

// actor is the client that is logged in; the zero Actor before the login.
func (c *conn) actor() skein.Actor {
	if c.session == nil {
		return skein.Actor{}
	}
	return skein.Actor{
		App: c.app, Client: c.session.Client(), Device: c.session.Device(), Session: c.session.ID(),
		Actions: c.actions, Expires: c.session.Expires(), English: c.lang == wire.English,
	}
}

var (
	errOver    = errors.New("socket is closing")
	errNoLogin = &frame.End{Code: wire.CloseNoLogin, Reason: "no login in time"}
	errTooFast = &frame.End{Code: wire.CloseRate, Reason: "over the command rate for too long"}
	// errTooEarly ends a socket that sends frames and does not log in.
	errTooEarly   = &frame.End{Code: wire.CloseRate, Reason: "too many frames before the login"}
	errUnfinished = &frame.End{Code: wire.CloseSilent, Reason: "a message was not finished in time"}
	errNoMemory   = &frame.End{Code: frame.TryAgain, Reason: "too many unfinished messages"}
	errAppSockets = &frame.End{Code: frame.TryAgain, Reason: "too many sockets of this app"}
	errNoTries    = &frame.End{Code: wire.CloseKicked, Reason: "too many failed logins"}
)

// leave ends the socket after reading it failed with err.
func (c *conn) leave(err error) {
	if c.session != nil {
		c.takeTurn()
		c.session.Detach()
		c.work.pass.Leave()
	}
	end := c.endOf(err)
	if c.end(end.Code, end.Reason) {
		c.server.metrics.closed(end)
	}
	c.dropRest()
	c.linger()
	_ = c.nc.Close() // everything is written: an error here changes nothing
	c.server.admission.Leave(c.addr, c.appID(), penaltyOf(end), c.server.opts.Now())
	c.server.open.remove(c)
}

// endOf is how the socket ends after reading it failed with err.
func (c *conn) endOf(err error) *frame.End {
	var end *frame.End
	switch {
	case errors.As(err, &end):
		return end
	case c.session == nil && errors.Is(err, os.ErrDeadlineExceeded):
		return errNoLogin
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errUnfinished
	default:
		return &frame.End{Code: hub.CloseAbnormal}
	}
}

// closing reports whether the socket was closed. What it receives then is dropped.
func (c *conn) closing() bool { return c.code.Load() != 0 }

// Close implements hub.Conn. It writes a close frame; nothing is written after it. The
// reader ends the socket when the client has answered or after lingerTime. The reason
// is ASCII.
func (c *conn) Close(code int, reason string) {
	if c.end(code, reason) {
		c.server.metrics.closed(&frame.End{Code: code})
	}
}

// end does what Close says and reports whether the socket was open before.
func (c *conn) end(code int, reason string) bool {
	first := c.code.CompareAndSwap(0, int32(code))
	c.stopCommand()
	if code == hub.CloseAbnormal {
		c.cut()
		return first
	}
	if !first {
		return false
	}
	if c.writeClose(code, reason) != nil {
		c.cut()
		return true
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(lingerTime)) // fails only on a dead socket: the next read reports that
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // as above
	}
	return true
}

// cut closes the connection at once; pending reads and writes fail. TLS says no goodbye: that could
// wait for a client that does not read.
func (c *conn) cut() { _ = transport(c.nc).Close() } // an error here changes nothing

// transport is the connection below TLS, or nc itself.
func transport(nc net.Conn) net.Conn {
	if secure, ok := nc.(interface{ NetConn() net.Conn }); ok {
		return secure.NetConn()
	}
	return nc
}

const (
	lingerTime  = 2 * time.Second
	lingerBytes = 1 << 20
)

// linger reads and drops what the client still sends, until it closes too. The kernel
// resets a connection that is closed with unread bytes, and the client may then lose
// the close frame.
func (c *conn) linger() {
	_, _ = io.CopyN(io.Discard, c.nc, lingerBytes) // the socket is closed in any case
}

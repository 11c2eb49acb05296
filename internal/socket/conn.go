package socket

import (
	"errors"
	"github.com/skein-im/skein/internal/socket/frame"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/wire"
)

// conn is one socket. Fields without a word belong to its reader.
type conn struct {
	server *Server
	nc     net.Conn // set once
	addr   string   // that it is counted by; set once

	source *access.Source // of the handshake; nil: it is logged in

	frames  *unfinished // nil: between messages
	armed   bool        // a deadline for reading is set; see awaitRest
	early   int32       // what its frames before the login cost
	pace    pace
	session *hub.Session // nil: not logged in
	app     *skein.App   // that it is logged in to, as it was then
	actions []string     // of the token it logged in with
	loginBy skein.Millis // until then it must be
	rate    int32        // commands a second; zero or less: no limit
	lang    wire.Lang
	failed  int8   // logins
	deep    bool   // a command ran since the last read
	batch   *batch // of the bytes at hand; nil: none
	order   order  // of what was sent

	work    work
	waits   func()       // gives the pass up
	code    atomic.Int32 // that it was closed with; zero: it is open
	writing sync.Mutex   // held by whoever writes to nc

	older, newer *conn // guarded by roster.mu
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

// serve runs the socket until it ends. early is what came with the handshake.
func (c *conn) serve(early []byte) {
	_ = c.nc.SetReadDeadline(time.Now().Add(c.server.opts.LoginWait)) // fails on a dead socket only: reading says so
	if err := c.takeInTurn(early); err != nil {
		c.leave(err)
		return
	}
	c.receive()
}

// takeInTurn takes what came when it is the turn of its app.
func (c *conn) takeInTurn(p []byte) error {
	if len(p) > 0 {
		c.takeTurn()
		defer c.work.pass.Leave()
	}
	return c.take(p)
}

// take hands bytes that came to the frame reader.
func (c *conn) take(p []byte) error {
	switch {
	case c.closing():
		return errOver
	case c.session != nil:
		c.session.Touch()
	case skein.MillisOf(c.server.opts.Now()) > c.loginBy:
		return errNoLogin // it never paused for the deadline to strike
	}
	err := c.feed(p)
	if err == nil {
		err = c.awaitRest()
	}
	if over := c.runBatch(); err == nil { // also what came before a frame that ends the socket
		err = over
	}
	return err
}

// feed gives bytes to the frame reader, which is kept only while a message is
// under way: an idle socket owns none.
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

// actor is who is logged in; nobody before the login.
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
	// errTooEarly ends a socket that talks but does not log in.
	errTooEarly   = &frame.End{Code: wire.CloseRate, Reason: "too many frames before the login"}
	errUnfinished = &frame.End{Code: wire.CloseSilent, Reason: "a message was not finished in time"}
	errNoRoom     = &frame.End{Code: frame.TryAgain, Reason: "too many unfinished messages"}
	errCrowded    = &frame.End{Code: frame.TryAgain, Reason: "too many sockets of this app"}
	errNoTries    = &frame.End{Code: wire.CloseKicked, Reason: "too many failed logins"}
)

// leave ends the socket after the reading ended with err.
func (c *conn) leave(err error) {
	if c.session != nil {
		c.takeTurn()
		c.session.Detach()
		c.work.pass.Leave()
	}
	bye := c.farewell(err)
	if c.end(bye.Code, bye.Reason) {
		c.server.metrics.closed(bye)
	}
	c.dropRest()
	c.linger()
	_ = c.nc.Close() // the peer has all it will ever get
	c.server.depart(c, strikesOf(bye))
}

func (c *conn) farewell(err error) *frame.End {
	var bye *frame.End
	switch {
	case errors.As(err, &bye):
		return bye
	case c.session == nil && errors.Is(err, os.ErrDeadlineExceeded):
		return errNoLogin
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errUnfinished
	default:
		return &frame.End{Code: hub.CloseAbnormal}
	}
}

// closing reports whether the socket was closed: what comes now is for nobody.
func (c *conn) closing() bool { return c.code.Load() != 0 }

// Close is hub.Conn's: a close frame, then nothing more is written, and the reader
// ends the socket when the peer has answered or lingerTime is over. The reason is
// ASCII.
func (c *conn) Close(code int, reason string) {
	if c.end(code, reason) {
		c.server.metrics.closed(&frame.End{Code: code})
	}
}

// end is Close, and reports whether it was the first.
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
	_ = c.nc.SetReadDeadline(time.Now().Add(lingerTime)) // on a dead socket the reader ends by itself
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // as above
	}
	return true
}

// cut ends the socket at once, waking whoever reads or writes.
func (c *conn) cut() { _ = c.nc.Close() } // nobody is left to tell

const (
	lingerTime  = 2 * time.Second
	lingerBytes = 1 << 20
)

// linger reads and drops what the peer still sends, until it closes too. A socket
// that is closed with unread bytes is reset, and a reset can overtake the close
// frame.
func (c *conn) linger() {
	_, _ = io.CopyN(io.Discard, c.nc, lingerBytes) // however it ends, the socket is closed
}

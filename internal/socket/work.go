package socket

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein/internal/share"
)

// work is what a socket's commands are done under: its pass through the server's gate,
// and the command that runs.
type work struct {
	pass    share.Pass              // owned by the reader
	running atomic.Pointer[running] // nil: none, or one that does not end with the socket
}

// running is a command that ends with its socket.
type running struct {
	ctx  context.Context    //nolint:containedctx // to be looked at by look
	stop context.CancelFunc // ends it
	look *time.Timer        // for a peer that has gone
}

// lookEvery is how often it is looked whether the peer of a command still waits for the
// answer: nobody reads its socket meanwhile.
const lookEvery = 100 * time.Millisecond

// takeTurn waits for the turn of the socket's app, or of its address before the login.
func (c *conn) takeTurn() {
	holder := c.addr
	if c.session != nil {
		holder = c.app.ID
	}
	c.work.pass.Enter(c.server.opts.Work, holder)
}

// context is that of work that goes on when its socket ends, such as messages that were
// sent. It ends when it takes too long.
func (c *conn) context() context.Context {
	return c.work.pass.With(c.server.deadlines.under(c.server.ctx))
}

// begin is the context of a command that ends with its socket, and what ends it. A write
// that the store has taken is done all the same.
func (c *conn) begin() (context.Context, func()) {
	r := &running{}
	r.ctx, r.stop = context.WithCancel(c.context())
	r.look = time.AfterFunc(time.Hour, func() {
		if r.ctx.Err() != nil || c.hungUp() {
			r.stop()
			return
		}
		r.look.Reset(lookEvery)
	})
	r.look.Reset(lookEvery) // only now may it be used
	c.work.running.Store(r)
	if c.closing() {
		r.stop()
	}
	return r.ctx, func() {
		c.work.running.Store(nil)
		r.look.Stop()
		r.stop()
	}
}

// stopCommand ends the command at hand.
func (c *conn) stopCommand() {
	if r := c.work.running.Load(); r != nil {
		r.stop()
	}
}

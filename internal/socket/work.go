package socket

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein/internal/share"
)

// work is the state of the command that a socket runs.
type work struct {
	pass    share.Pass              // its turn at the server's gate; owned by the reader
	running atomic.Pointer[running] // nil: no command runs that ends with the socket
}

// running is a command that is cancelled when its socket ends.
type running struct {
	ctx   context.Context    //nolint:containedctx // check reads it
	stop  context.CancelFunc // cancels the command
	check *time.Timer        // cancels the command if the client has gone
}

// checkEvery is how often the server checks, while a command runs, whether its client is
// still connected. The reader cannot notice: it runs the command.
const checkEvery = 100 * time.Millisecond

// takeTurn waits for the turn of the socket's app, or before the login of its address.
func (c *conn) takeTurn() {
	holder := c.addr
	if c.session != nil {
		holder = c.app.ID
	}
	c.work.pass.Enter(c.server.opts.Work, holder)
}

// context is for work that continues when its socket ends, such as a send. It ends after
// the time limit of a call.
func (c *conn) context() context.Context {
	return c.work.pass.With(c.server.deadlines.under(c.server.ctx))
}

// begin returns a context for a command that is cancelled when its socket ends, and the
// function that frees it. A write that the store has accepted is done in any case.
func (c *conn) begin() (context.Context, func()) {
	r := &running{}
	r.ctx, r.stop = context.WithCancel(c.context())
	r.check = time.AfterFunc(time.Hour, func() {
		if r.ctx.Err() != nil || c.hungUp() {
			r.stop()
			return
		}
		r.check.Reset(checkEvery)
	})
	r.check.Reset(checkEvery) // r.check is set only now, and its function uses it
	c.work.running.Store(r)
	if c.closing() {
		r.stop()
	}
	return r.ctx, func() {
		c.work.running.Store(nil)
		r.check.Stop()
		r.stop()
	}
}

// stopCommand cancels the command that runs.
func (c *conn) stopCommand() {
	if r := c.work.running.Load(); r != nil {
		r.stop()
	}
}

package socket

import (
	"errors"
	"os"
	"time"

	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/socket/frame"
)

// unfinished is what a socket holds while only a part of a message has arrived.
type unfinished struct {
	frame.Reader

	began  time.Time   // when the first byte of the message arrived
	bytes  int64       // memory of the message that is counted in pool
	pool   *share.Pool // nil: nothing is counted
	holder string      // the app, or before the login the address
}

// awaitRest counts the memory of an unfinished message and sets the deadline for its
// rest: MessageWait after its first byte. Errors: errNoMemory, errUnfinished.
//
// The deadline stays set when the message is complete, because clearing it would cost
// more than reading most messages. keepReading clears it when it expires.
func (c *conn) awaitRest() error {
	r := c.frames
	if r == nil {
		return nil
	}
	now := time.Now()
	if r.Progress() || r.began.IsZero() {
		r.began = now
	}
	due := r.began.Add(c.server.opts.MessageWait)
	if !now.Before(due) {
		return errUnfinished // a client that never pauses never reaches the read deadline
	}
	if !c.hold(r, r.Size()) {
		return errNoMemory
	}
	if c.session != nil && !c.armed { // before the login its own deadline comes first
		c.armed = true
		c.readBy(due)
	}
	return nil
}

// hold counts the memory that the message takes now, and reports whether the pool has
// as much.
func (c *conn) hold(k *unfinished, bytes int64) bool {
	pool, holder := c.server.earlyUnfinished, c.addr
	if c.session != nil {
		pool, holder = c.server.unfinished, c.app.ID
	}
	if k.pool != pool || bytes < k.bytes {
		k.release()
	}
	if bytes > k.bytes {
		if !pool.Take(holder, bytes-k.bytes, 0) {
			c.server.reportNoMemory(c)
			return false
		}
		k.pool, k.holder, k.bytes = pool, holder, bytes
	}
	return true
}

func (k *unfinished) release() {
	if k.pool != nil {
		k.pool.Give(k.holder, k.bytes)
	}
	k.pool, k.bytes = nil, 0
}

// dropRest frees the frame reader and the memory it counts.
func (c *conn) dropRest() {
	if c.frames != nil {
		c.frames.release()
		c.frames = nil
	}
}

// keepReading reports whether reading continues after err. It does if a deadline expired
// whose message has arrived.
func (c *conn) keepReading(err error) bool {
	if c.session == nil || c.closing() || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	due := time.Time{} // none
	if c.armed = c.frames != nil; c.armed {
		if due = c.frames.began.Add(c.server.opts.MessageWait); !time.Now().Before(due) {
			return false
		}
	}
	c.readBy(due)
	return true
}

// readBy sets the read deadline. If the socket is closing, the deadline is lingerTime
// from now instead.
func (c *conn) readBy(t time.Time) {
	_ = c.nc.SetReadDeadline(t) // fails only on a dead socket: the next read reports that
	if c.closing() {
		_ = c.nc.SetReadDeadline(time.Now().Add(lingerTime)) // as above
	}
}

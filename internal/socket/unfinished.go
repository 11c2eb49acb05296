package socket

import (
	"errors"
	"github.com/skein-im/skein/internal/socket/frame"
	"os"
	"time"

	"github.com/skein-im/skein/internal/share"
)

// unfinished is what a socket holds while a message has not come whole.
type unfinished struct {
	frame.Reader

	began  time.Time   // when the message did
	bytes  int64       // memory of it that is counted
	pool   *share.Pool // where; nil: nowhere
	holder string
}

// awaitRest accounts for a message that has not come whole: its memory is shared by
// the apps (before the login: by the addresses), and its rest must come within
// MessageWait. Errors: errNoRoom, errUnfinished.
//
// The deadline is left as it is when the message is whole, since setting one costs
// more than most messages: goOn clears it when it strikes for nothing.
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
		return errUnfinished // it never paused for the deadline to strike
	}
	if !c.hold(r, r.Size()) {
		return errNoRoom
	}
	if c.session != nil && !c.armed { // before that the login's deadline is nearer
		c.armed = true
		c.readBy(due)
	}
	return nil
}

// hold counts what the rest takes, and reports whether there is room.
func (c *conn) hold(k *unfinished, bytes int64) bool {
	pool, holder := c.server.strangers.unfinished, c.addr
	if c.session != nil {
		pool, holder = c.server.unfinished, c.app.ID
	}
	if k.pool != pool || bytes < k.bytes {
		k.release()
	}
	if bytes > k.bytes {
		if !pool.Take(holder, bytes-k.bytes, 0) {
			c.server.crowded("unfinished messages", c)
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

// dropRest forgets the frame reader.
func (c *conn) dropRest() {
	if c.frames != nil {
		c.frames.release()
		c.frames = nil
	}
}

// goOn reports whether reading goes on after err: a deadline that struck although
// the message it was set for has come.
func (c *conn) goOn(err error) bool {
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

// readBy sets the deadline for reading, unless the socket is closing: then its
// linger time is over at the latest.
func (c *conn) readBy(t time.Time) {
	_ = c.nc.SetReadDeadline(t) // fails on a dead socket only: reading says so
	if c.closing() {
		_ = c.nc.SetReadDeadline(time.Now().Add(lingerTime)) // as above
	}
}

package socket

import (
	"errors"
	"github.com/skein-im/skein/internal/socket/frame"
	"os"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// outgoing is what goes out with one write. Pooled: a socket that does not write
// owns none.
type outgoing struct {
	buf   []byte
	waits func() // told before it waits for the peer; may be nil
	sent  int
	err   error
}

// maxOutgoing bounds what a pooled buffer keeps, and is copied, in bytes.
const maxOutgoing = 64 << 10

var outgoings = sync.Pool{New: func() any { return new(outgoing) }}

// attempt tries once to write buf.
func (o *outgoing) attempt(fd uintptr) { o.sent, o.err = writeFD(fd, o.buf) }

func newOutgoing(waits func()) *outgoing {
	o := outgoings.Get().(*outgoing)
	o.buf, o.waits = o.buf[:0], waits
	return o
}

func (o *outgoing) wait() {
	if o.waits != nil {
		o.waits()
	}
}

func (o *outgoing) free() {
	o.waits = nil
	if cap(o.buf) <= 2*maxOutgoing {
		outgoings.Put(o)
	}
}

// WriteFrames writes the payloads as text frames, with one write where they are
// not more than 64 KiB. waits is called before it waits for the peer.
func (c *conn) WriteFrames(frames [][]byte, waits func()) error {
	o := newOutgoing(waits)
	defer o.free()
	c.lock(o)
	defer c.writing.Unlock()
	if c.closing() {
		return errOver
	}
	for _, f := range frames {
		if len(o.buf)+len(f) > maxOutgoing {
			if err := c.write(o); err != nil {
				return err
			}
		}
		o.buf = frame.AppendTextHeader(o.buf, len(f))
		if len(f) > maxOutgoing {
			if err := c.writeBig(o, f); err != nil {
				return err
			}
			continue
		}
		o.buf = append(o.buf, f...)
	}
	return c.write(o)
}

// lock waits for whoever writes.
func (c *conn) lock(o *outgoing) {
	if !c.writing.TryLock() {
		o.wait()
		c.writing.Lock()
	}
}

// Ping writes an empty ping frame.
func (c *conn) Ping(waits func()) error { return c.writeControl(ws.OpPing, nil, waits) }

func (c *conn) writeControl(op ws.OpCode, payload []byte, waits func()) error {
	o := newOutgoing(waits)
	defer o.free()
	c.lock(o)
	defer c.writing.Unlock()
	if c.closing() {
		return errOver
	}
	o.buf = frame.AppendControl(o.buf, op, payload)
	return c.write(o)
}

// writeClose writes the last frame of the socket.
func (c *conn) writeClose(code int, reason string) error {
	o := newOutgoing(nil)
	defer o.free()
	c.lock(o)
	defer c.writing.Unlock()
	o.buf = frame.AppendClose(o.buf, code, reason)
	return c.write(o)
}

// writeBig writes what is in o and then p, without copying p. writing is held.
func (c *conn) writeBig(o *outgoing, p []byte) error {
	if err := c.write(o); err != nil {
		return err
	}
	return c.writeWaiting(o, p)
}

// write writes and empties o. The socket takes nearly all of them at once; only for
// the others is a deadline set, since setting one costs more than the rest of the
// way to the kernel. writing is held.
func (c *conn) write(o *outgoing) error {
	if len(o.buf) == 0 {
		return nil
	}
	tcp := direct(c.nc)
	if tcp == nil {
		err := c.writeWaiting(o, o.buf)
		o.buf = o.buf[:0]
		return err
	}
	o.sent, o.err = 0, nil
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	if err := raw.Control(o.attempt); err != nil {
		return err
	}
	if o.err != nil && !errors.Is(o.err, errNotReady) {
		return os.NewSyscallError("write", o.err)
	}
	rest := o.buf[max(o.sent, 0):]
	o.buf = o.buf[:0]
	if len(rest) == 0 {
		return nil
	}
	return c.writeWaiting(o, rest)
}

// writeWaiting writes p within WriteWait. writing is held.
func (c *conn) writeWaiting(o *outgoing, p []byte) error {
	o.wait()
	if err := c.nc.SetWriteDeadline(time.Now().Add(c.server.opts.WriteWait)); err != nil {
		return err
	}
	if _, err := c.nc.Write(p); err != nil {
		return err
	}
	return c.nc.SetWriteDeadline(time.Time{})
}

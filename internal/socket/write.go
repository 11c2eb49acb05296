package socket

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/skein-im/skein/internal/socket/frame"
)

// outgoing is the state of one write. It is pooled: a socket that does not write has
// none.
type outgoing struct {
	buf   []byte
	waits func() // called before the write waits for the client; may be nil
	sent  int
	err   error
}

// maxOutgoing bounds, in bytes, the payloads that are copied into one write.
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

// WriteFrames writes the payloads as text frames, with one write if together they have
// at most 64 KiB. It calls waits before it waits for the client.
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

// lock waits until no other goroutine writes.
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

// writeClose writes the close frame, the last of the socket.
func (c *conn) writeClose(code int, reason string) error {
	o := newOutgoing(nil)
	defer o.free()
	c.lock(o)
	defer c.writing.Unlock()
	o.buf = frame.AppendClose(o.buf, code, reason)
	return c.write(o)
}

// writeBig writes o and then p, without copying p. writing is held.
func (c *conn) writeBig(o *outgoing, p []byte) error {
	if err := c.write(o); err != nil {
		return err
	}
	return c.writeWaiting(o, p)
}

// write writes and empties o. The kernel nearly always takes all of it at once. Only if
// it does not, write sets a deadline, because that costs more than the write itself.
// writing is held.
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

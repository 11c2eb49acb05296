package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
)

// receive reads until the socket fails or a frame ends it, and then ends it. While
// it waits it holds no buffer, and an idle socket no more stack than it began with:
// a stack that commands have grown never shrinks back to 2 KB, so when something
// came and it was no command, such as the pong of an idle peer, a new goroutine
// goes on.
func (c *conn) receive() {
	tcp := direct(c.nc)
	if tcp == nil {
		c.leave(c.receivePlain())
		return
	}
	var in incoming
	for {
		if err := in.await(tcp); err != nil {
			if c.goOn(err) {
				continue
			}
			c.leave(err)
			return
		}
		c.deep = false
		if err := c.takeIn(&in); err != nil {
			c.leave(err)
			return
		}
		if !c.deep {
			c.server.running.Go(c.receive)
			return
		}
	}
}

// takeIn takes what was read and frees its buffer. It runs outside of raw.Read:
// closing the socket waits for that, and a command may have to close it.
func (c *conn) takeIn(in *incoming) error {
	defer in.free()
	if in.err != nil {
		return in.err
	}
	return c.takeInTurn(in.buf[:in.n])
}

// readSize is how much is read at once, in bytes.
const readSize = 4 << 10

var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// incoming is the result of one read.
type incoming struct {
	buf *[readSize]byte // nil while nothing is there
	n   int
	err error
}

// await waits for something to read, and reads it. As the compiler sees through
// SyscallConn what waits is on the stack and nothing of it in the heap, which the
// budgets of allocations hold.
func (in *incoming) await(tcp *net.TCPConn) error {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Read(in.fill)
}

// fill reads what is there, and reports false when that is nothing yet.
func (in *incoming) fill(fd uintptr) bool {
	in.buf = readBuffers.Get().(*[readSize]byte)
	in.n, in.err = readFD(fd, in.buf[:])
	switch {
	case errors.Is(in.err, errNotReady):
		in.free()
		return false
	case in.err != nil:
		in.err = os.NewSyscallError("read", in.err)
	case in.n == 0:
		in.err = io.EOF
	}
	return true
}

func (in *incoming) free() {
	readBuffers.Put(in.buf)
	in.buf = nil
}

// receivePlain is receive for sockets without a file descriptor, such as TLS.
func (c *conn) receivePlain() error {
	buf := make([]byte, 1024)
	for {
		n, err := c.nc.Read(buf)
		if n > 0 {
			if err := c.takeInTurn(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil && !c.goOn(err) {
			return err
		}
	}
}

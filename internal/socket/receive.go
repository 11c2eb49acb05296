package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
)

// receive reads until the socket fails or a frame ends it, and then ends the socket. It
// has no buffer while it waits. A goroutine's stack that commands have grown does not
// shrink back to 2 KB. So when a read brought no command, such as the pong of an idle
// client, receive continues in a new goroutine with a small stack.
func (c *conn) receive() {
	tcp := direct(c.nc)
	if tcp == nil {
		c.leave(c.receivePlain())
		return
	}
	var in incoming
	for {
		if err := in.await(tcp); err != nil {
			if c.keepReading(err) {
				continue
			}
			c.leave(err)
			return
		}
		c.ranCommand = false
		if err := c.takeIn(&in); err != nil {
			c.leave(err)
			return
		}
		if !c.ranCommand {
			c.server.running.Go(c.receive)
			return
		}
	}
}

// takeIn handles what was read and frees its buffer. It must not run inside raw.Read: a
// command may close the socket, and closing waits for raw.Read to return.
func (c *conn) takeIn(in *incoming) error {
	defer in.free()
	if in.err != nil {
		return in.err
	}
	return c.takeInTurn(in.buf[:in.n])
}

// readSize is how many bytes one read may bring.
const readSize = 4 << 10

var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// incoming is the result of one read.
type incoming struct {
	buf *[readSize]byte // nil while the read waits
	n   int
	err error
}

// await waits until there is something to read, and reads it. It takes the concrete type
// *net.TCPConn: the compiler can then keep the result of SyscallConn on the stack, and
// an idle socket allocates nothing (see the budgets in alloc_test.go).
func (in *incoming) await(tcp *net.TCPConn) error {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Read(in.fill)
}

// fill reads what has arrived. It reports false if that is nothing, and then is called
// again.
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
		if err != nil && !c.keepReading(err) {
			return err
		}
	}
}

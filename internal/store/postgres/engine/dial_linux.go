package engine

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// giveUpAfter bounds how long sent bytes may go without an acknowledgement. Other kinds of
// sockets do not have that, which is no error.
func giveUpAfter(limit time.Duration) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit.Milliseconds()))
		})
	}
}

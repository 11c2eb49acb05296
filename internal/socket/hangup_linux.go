package socket

import "golang.org/x/sys/unix"

// hungUp reports whether the client has closed or reset the connection, even if there
// are unread bytes.
func (c *conn) hungUp() bool {
	tcp := direct(transport(c.nc))
	if tcp == nil {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return true
	}
	poll := []unix.PollFd{{Events: unix.POLLRDHUP}}
	err = raw.Control(func(fd uintptr) {
		poll[0].Fd = int32(fd)
		_, _ = unix.Poll(poll, 0) // after an error Revents is 0
	})
	return err != nil || poll[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
}

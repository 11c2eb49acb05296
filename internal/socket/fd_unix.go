//go:build unix

package socket

import (
	"errors"
	"net"
	"syscall"
)

// errNotReady says that the call would block.
var errNotReady error = syscall.EAGAIN

// direct is the TCP connection whose file descriptor can be read and written directly;
// nil if nc is none, such as TLS.
func direct(nc net.Conn) *net.TCPConn {
	if proxied, ok := nc.(interface{ TCP() *net.TCPConn }); ok {
		return proxied.TCP()
	}
	tcp, _ := nc.(*net.TCPConn)
	return tcp
}

func readFD(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}

func writeFD(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), p)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}

//go:build unix

package socket

import (
	"errors"
	"net"
	"syscall"
)

// errNotReady: the call would have to wait.
var errNotReady error = syscall.EAGAIN

// direct is the TCP socket whose file descriptor can be read and written; nil where
// there is none.
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

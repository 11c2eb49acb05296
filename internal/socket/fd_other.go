//go:build !unix

package socket

import (
	"errors"
	"net"
	"syscall"
)

// errNotReady is never returned here.
var errNotReady = errors.ErrUnsupported

// rawConn is nil: sockets are read and written the portable way.
func rawConn(net.Conn) syscall.RawConn { return nil }

func readFD(uintptr, []byte) (int, error)  { return 0, errors.ErrUnsupported }
func writeFD(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

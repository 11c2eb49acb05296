//go:build !unix

package socket

import (
	"errors"
	"net"
)

// errNotReady is never returned here.
var errNotReady = errors.ErrUnsupported

// direct is nil: this platform reads and writes through net.Conn.
func direct(net.Conn) *net.TCPConn { return nil }

func readFD(uintptr, []byte) (int, error)  { return 0, errors.ErrUnsupported }
func writeFD(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

//go:build !linux

package engine

import (
	"syscall"
	"time"
)

// giveUpAfter does nothing: the system has no such bound.
func giveUpAfter(time.Duration) func(network, address string, c syscall.RawConn) error { return nil }

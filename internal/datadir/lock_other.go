//go:build !unix

package datadir

import "os"

// tryLock does nothing: this platform has no Unix file locks.
func tryLock(*os.File) error { return nil }

func alive(int) bool { return true }

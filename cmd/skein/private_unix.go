//go:build unix

package main

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

func setPrivateUmask() { unix.Umask(0o077) }

// openToOthers reports whether a mode gives users other than the owner any permission.
func openToOthers(mode fs.FileMode) bool { return mode.Perm()&0o077 != 0 }

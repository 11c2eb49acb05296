//go:build unix

package datadir

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// SetPrivateUmask makes all files private that this process creates from now on.
func SetPrivateUmask() { unix.Umask(0o077) }

// openToOthers reports whether a mode gives users other than the owner any permission.
func openToOthers(mode fs.FileMode) bool { return mode.Perm()&0o077 != 0 }

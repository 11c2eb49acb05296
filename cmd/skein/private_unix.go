//go:build unix

package main

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

func setPrivateUmask() { unix.Umask(0o077) }

// openToOthers reports whether anybody but the owner may do anything with a file.
func openToOthers(mode fs.FileMode) bool { return mode.Perm()&0o077 != 0 }

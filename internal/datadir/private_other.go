//go:build !unix

package datadir

import "io/fs"

// SetPrivateUmask does nothing: this platform has no Unix file modes, so the operator must keep the
// files private.
func SetPrivateUmask() {}

func openToOthers(fs.FileMode) bool { return false }

//go:build !unix

package main

import "io/fs"

// This platform has no Unix file modes: the operator must keep the files private.
func setPrivateUmask() {}

func openToOthers(fs.FileMode) bool { return false }

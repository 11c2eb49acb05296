//go:build !unix

package main

import "io/fs"

// Where files have no mode of the Unix kind the operator keeps them private.
func setPrivateUmask() {}

func openToOthers(fs.FileMode) bool { return false }

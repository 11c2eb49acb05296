package leancloud

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncFolder waits until all of the file system is on the disk: one wait for all files.
func syncFolder(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // the operator's own directory
	if err != nil {
		return err
	}
	defer closing(f)
	return unix.Syncfs(int(f.Fd()))
}

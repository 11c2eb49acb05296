package folder

import (
	"os"

	"golang.org/x/sys/unix"
)

// Sync syncs the whole file system: one wait for all files.
func Sync(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // the operator's own directory
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // an error loses nothing
	return unix.Syncfs(int(f.Fd()))
}

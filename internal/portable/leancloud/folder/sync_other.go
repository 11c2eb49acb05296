//go:build !linux

package folder

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Sync syncs each file of the folder.
func Sync(dir string) error {
	return filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		f, err := os.OpenFile(file, os.O_RDWR, 0) //nolint:gosec // below the operator's own directory
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // an error loses nothing
		return f.Sync()
	})
}

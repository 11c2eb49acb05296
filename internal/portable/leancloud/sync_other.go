//go:build !linux

package leancloud

import (
	"io/fs"
	"os"
	"path/filepath"
)

// syncFolder waits until each file of the folder is on the disk.
func syncFolder(dir string) error {
	return filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		f, err := os.OpenFile(file, os.O_RDWR, 0) //nolint:gosec // below the operator's own directory
		if err != nil {
			return err
		}
		defer closing(f)
		return f.Sync()
	})
}

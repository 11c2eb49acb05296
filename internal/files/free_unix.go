//go:build linux || darwin

package files

import "syscall"

// DiskSpace returns how much of the disk of a folder this process may still use, and how
// large the disk is, in bytes.
func DiskSpace(dir string) (free, size int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	block := int64(s.Bsize) //nolint:unconvert // it is narrower elsewhere
	return int64(s.Bavail) * block, int64(s.Blocks) * block, nil
}

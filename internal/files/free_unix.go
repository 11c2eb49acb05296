//go:build linux || darwin

package files

import "syscall"

// diskSpace is how much of the disk of a folder is free for us, in bytes, and how
// large it is.
func diskSpace(dir string) (free, size int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	block := int64(s.Bsize) //nolint:unconvert // it is narrower elsewhere
	return int64(s.Bavail) * block, int64(s.Blocks) * block, nil
}

//go:build unix

package doctor

import "syscall"

// openFiles is how many files this process may have open; zero: no limit.
func openFiles() int {
	const most = 1 << 30
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Cur) > most { //nolint:unconvert // it is signed elsewhere
		return 0
	}
	return int(limit.Cur)
}

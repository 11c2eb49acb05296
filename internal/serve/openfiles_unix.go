//go:build unix

package serve

import "syscall"

// openFiles is how many files the process may have open; zero: no limit. Go has
// raised the limit to what the system allows by the time main runs.
func openFiles() int {
	const most = 1 << 30
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Cur) > most { //nolint:unconvert // it is signed elsewhere
		return 0
	}
	return int(limit.Cur)
}

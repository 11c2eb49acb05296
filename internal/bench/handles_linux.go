package bench

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// boundHandles bounds the files and sockets that a process may hold open; zero leaves
// it as it is.
func boundHandles(pid int, n uint64) error {
	if n == 0 {
		return nil
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n}, nil); err != nil {
		return fmt.Errorf("bound the handles of the server: %w", err)
	}
	return nil
}

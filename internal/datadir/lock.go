package datadir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// lockWait is how long a command waits for another command that holds the lock. A command
// does not wait for a server, which keeps the lock. A holder that has not written its name
// after namelessWait is a server of an old version.
const (
	lockWait     = 10 * time.Second
	namelessWait = time.Second
)

// ErrLocked is returned by LockFile if another process holds the lock.
var ErrLocked = errors.New("locked by another process")

// HeldError says which process holds the lock of a --data.
type HeldError struct {
	Server bool // the holder is a server

	dir    string
	holder string // such as "skein serve, pid 123"; empty: unknown
}

// Error says who holds the lock, if that is known.
func (e *HeldError) Error() string {
	what := "another process works on"
	if e.Server {
		what = "another server runs on"
	}
	if e.holder == "" {
		return fmt.Sprintf("--data: %s %s", what, e.dir)
	}
	return fmt.Sprintf("--data: %s %s: %s", what, e.dir, e.holder)
}

// Lock locks a --data for this process. Two servers on one store would not receive each
// other's events, because the bus is inside each process. A server keeps the lock; other
// commands hold it while they open, migrate or replace the store. The system releases the
// lock when the process ends. Errors: *HeldError.
func Lock(dir, command string) (release func() error, err error) {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, PrivateFile) //nolint:gosec // a path that the operator gave
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	err = waitLock(f, dir)
	if err == nil {
		err = writeHolder(f, command)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// LockFile locks a file for this process, and creates it if need be. The system releases the lock
// when the process ends. Errors: ErrLocked.
func LockFile(path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, PrivateFile) //nolint:gosec // a path that the operator gave
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

func waitLock(f *os.File, dir string) error {
	began := time.Now()
	for named := began; ; time.Sleep(10 * time.Millisecond) {
		err := tryLock(f)
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrLocked) {
			return fmt.Errorf("--data: lock %s: %w", dir, err)
		}
		held := &HeldError{dir: dir, holder: readHolder(f.Name())}
		if held.holder != "" {
			named = time.Now()
		}
		held.Server = strings.HasPrefix(held.holder, "skein serve") || time.Since(named) > namelessWait
		if held.Server || time.Since(began) > lockWait {
			return held
		}
	}
}

// writeHolder writes the name of this process into the lock file.
func writeHolder(f *os.File, command string) error {
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	if _, err := f.WriteAt(fmt.Appendf(nil, "skein %s, pid %d\n", command, os.Getpid()), 0); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	return nil
}

// readHolder reads which process holds the lock. It returns "" if the file names none, or
// one that has ended.
func readHolder(path string) string {
	raw, err := os.ReadFile(path) //nolint:gosec // a path that the operator gave
	if err != nil {
		return ""
	}
	holder := strings.TrimSpace(string(raw))
	_, number, _ := strings.Cut(holder, ", pid ")
	pid, err := strconv.Atoi(number)
	if err != nil || !alive(pid) {
		return ""
	}
	return holder
}

// Holder is the process id of the server that runs on a directory; zero: none is known.
func Holder(dir string) int {
	holder := readHolder(filepath.Join(dir, lockFile))
	_, number, _ := strings.Cut(holder, ", pid ")
	pid, err := strconv.Atoi(number)
	if err != nil || !strings.HasPrefix(holder, "skein serve") {
		return 0
	}
	return pid
}

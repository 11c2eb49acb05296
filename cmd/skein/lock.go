package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// lockWait is how long a command waits for another one that has the lock for a
// moment. A server keeps it, so nobody waits for a server. Who has not said who it is
// after namelessWait is a server of a version that did not say so.
const (
	lockWait     = 10 * time.Second
	namelessWait = time.Second
)

// errLocked is what tryLock answers where another process has the lock.
var errLocked = errors.New("locked by another process")

// heldError says who has the lock of a --data.
type heldError struct {
	dir    string
	server bool
	holder string // such as "skein serve, pid 123"; empty: it did not say
}

func (e *heldError) Error() string {
	what := "another process works on"
	if e.server {
		what = "another server runs on"
	}
	if e.holder == "" {
		return fmt.Sprintf("--data: %s %s", what, e.dir)
	}
	return fmt.Sprintf("--data: %s %s: %s", what, e.dir, e.holder)
}

// lockData gives a --data to one process: a second server would serve too, but with
// the bus inside each neither would hear of the other's events. A server keeps the
// lock; the other commands have it while they open, migrate or replace the store.
// It goes with the process, however that ends. Errors: *heldError.
func lockData(dir, command string) (release func() error, err error) {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own directory
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

func waitLock(f *os.File, dir string) error {
	began := time.Now()
	for named := began; ; time.Sleep(10 * time.Millisecond) {
		err := tryLock(f)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errLocked) {
			return fmt.Errorf("--data: lock %s: %w", dir, err)
		}
		held := &heldError{dir: dir, holder: readHolder(f.Name())}
		if held.holder != "" {
			named = time.Now()
		}
		held.server = strings.HasPrefix(held.holder, "skein serve") || time.Since(named) > namelessWait
		if held.server || time.Since(began) > lockWait {
			return held
		}
	}
}

// writeHolder says who has the lock.
func writeHolder(f *os.File, command string) error {
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	if _, err := f.WriteAt(fmt.Appendf(nil, "skein %s, pid %d\n", command, os.Getpid()), 0); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	return nil
}

// readHolder is who has the lock, as far as it has said so: a process that is gone
// has it no more.
func readHolder(path string) string {
	raw, err := os.ReadFile(path) //nolint:gosec // the operator's own directory
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

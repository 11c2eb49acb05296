//go:build chaos

package clock

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// clockFile is the environment variable with the path of a file. The file holds the offset
// of the clock in milliseconds.
const clockFile = "SKEIN_CHAOS_CLOCK"

// clockRead is how long an offset is used before the file is read again.
const clockRead = 50 * time.Millisecond

var (
	clockOffset atomic.Int64 // milliseconds
	clockDue    atomic.Int64 // when to read the file again; Unix ms of the machine's clock
)

// Now is the machine's time plus the offset. It has no monotonic reading, because it must
// be able to go back like a clock that somebody sets.
func Now() time.Time {
	now := time.Now()
	if due := clockDue.Load(); now.UnixMilli() >= due &&
		clockDue.CompareAndSwap(due, now.Add(clockRead).UnixMilli()) {
		readClock()
	}
	return now.Round(0).Add(time.Duration(clockOffset.Load()) * time.Millisecond)
}

// readClock reads the offset. It keeps the old one if the file is missing or incomplete.
func readClock() {
	text, err := os.ReadFile(os.Getenv(clockFile)) //nolint:gosec // a path that the tester gave
	if err != nil {
		return
	}
	if offset, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
		clockOffset.Store(offset)
	}
}

//go:build chaos

package main

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// clockFile names the file that says by how many milliseconds the clock is wrong.
const clockFile = "SKEIN_CHAOS_CLOCK"

// clockRead is how long an offset is believed before the file is read again.
const clockRead = 50 * time.Millisecond

var (
	clockOffset atomic.Int64 // milliseconds
	clockDue    atomic.Int64 // when to read again; Unix ms of the machine's own clock
)

// clock is the machine's time plus what the file says. Like a clock that somebody
// has set it may run back, so it goes without the monotonic reading.
func clock() time.Time {
	now := time.Now()
	if due := clockDue.Load(); now.UnixMilli() >= due &&
		clockDue.CompareAndSwap(due, now.Add(clockRead).UnixMilli()) {
		readClock()
	}
	return now.Round(0).Add(time.Duration(clockOffset.Load()) * time.Millisecond)
}

// readClock leaves the offset as it is where the file is away or half written.
func readClock() {
	text, err := os.ReadFile(os.Getenv(clockFile)) //nolint:gosec // whoever runs this build named it
	if err != nil {
		return
	}
	if offset, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
		clockOffset.Store(offset)
	}
}

package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// pause sleeps with an error of about 50 µs. time.Sleep waits in whole milliseconds when the
// process has nothing else to do, which would be most of the measured latency.
func pause(d time.Duration) {
	if d <= 0 {
		return
	}
	spec := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&spec, nil) // if it wakes early, the caller checks the clock
}

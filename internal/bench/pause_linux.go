package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// pause sleeps to within some 50 µs. time.Sleep waits in whole milliseconds when
// the process has nothing else to do, which would be most of the latency measured.
func pause(d time.Duration) {
	if d <= 0 {
		return
	}
	spec := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&spec, nil) // woken early: the caller looks at the clock
}

package pace

import (
	"syscall"
	"time"
)

// sleep sleeps on the thread. A timer of the runtime would wake another thread to wait
// for it, which costs as much as the commit that the wait saves.
func sleep(d time.Duration) {
	t := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&t, nil) // a signal ends it early, which is no harm
}

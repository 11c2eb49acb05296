package hooks

import (
	"sync"
	"time"
)

// breakAfter is how many calls in a row fail until a breaker opens.
const breakAfter = 5

// probePause is the time from the failure that opens a breaker to the call that probes the address, and
// from one probe to the next.
const probePause = 5 * time.Second

// forgetAfter is how long an open breaker counts in the metrics after the last question.
const forgetAfter = time.Minute

// breaker stops the calls to an address that fails, so that senders do not wait for nothing. While
// it is open, one call at a time probes whether the address answers again.
type breaker struct {
	mu       sync.Mutex
	url      string // of the hook when it was asked last; guarded by mu, as all below
	failures int    // in a row
	open     bool
	probe    time.Time // when the next call may be made while it is open
	asked    time.Time // last
}

// admits reports whether a call may be made. A hook with another URL begins anew.
func (b *breaker) admits(url string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.url != url {
		b.url, b.failures, b.open = url, 0, false
	}
	b.asked = now
	switch {
	case !b.open:
		return true
	case now.Before(b.probe):
		return false
	default:
		b.probe = now.Add(probePause)
		return true
	}
}

// unused says that a call that was admitted tells nothing about the address: another one may probe it at once.
func (b *breaker) unused(url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.url == url {
		b.probe = time.Time{}
	}
}

// done says how a call ended that was admitted, and reports what it changed.
func (b *breaker) done(url string, well bool, now time.Time) (opened, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.url != url {
		return false, false
	}
	if well {
		closed = b.open
		b.failures, b.open = 0, false
		return false, closed
	}
	if b.failures++; b.open || b.failures < breakAfter {
		return false, false
	}
	b.open, b.probe = true, now.Add(probePause)
	return true, false
}

func (b *breaker) isOpen(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open && now.Sub(b.asked) < forgetAfter
}

package share

import (
	"sync"
	"time"

	"github.com/skein-im/skein/internal/recent"
)

// maxRates bounds the holders whose rate is kept.
const maxRates = 10_000

// Rates bounds how often each holder, such as an address, may do something: so many a second, and
// the number of a burst at once. It keeps for each holder when its full burst is available again
// (GCRA), for the holders that did something lately. Safe for concurrent use.
type Rates struct {
	perSecond int // zero or less: no bound
	burst     time.Duration

	mu   sync.Mutex
	full *recent.Map[string, int64] // Unix nanoseconds; guarded by mu
}

// NewRates makes rates of that many a second; burst is how many seconds' worth may be used at once.
func NewRates(perSecond int, burst time.Duration) *Rates {
	return &Rates{perSecond: perSecond, burst: burst, full: recent.New[string, int64](maxRates)}
}

// Charge takes n from the burst of a holder, or all that is left of it. It reports whether there
// were n.
func (r *Rates) Charge(holder string, n int, now time.Time) bool {
	if r.perSecond <= 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at := now.UnixNano()
	full, _ := r.full.Get(holder)
	if full-at > int64(r.burst) { // the clock was set back
		full = at
	}
	full = max(full, at) + int64(n)*int64(time.Second)/int64(r.perSecond)
	latest := at + int64(r.burst)
	r.full.Put(holder, min(full, latest))
	return full <= latest
}

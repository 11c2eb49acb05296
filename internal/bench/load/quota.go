package load

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
)

// Quota is how much work is left: a number of units, a time, or both. Safe for
// concurrent use.
type Quota struct {
	limit int64 // zero: none
	until time.Time
	Taken atomic.Int64
}

// NewQuota allows limit units within d; a limit of zero means only the time counts.
func NewQuota(limit int, d time.Duration) *Quota {
	return &Quota{limit: int64(limit), until: time.Now().Add(d)}
}

// take takes one unit, if there is one left.
func (q *Quota) take() bool {
	n := q.Taken.Add(1)
	if q.limit > 0 && n > q.limit || time.Now().After(q.until) {
		q.Taken.Add(-1)
		return false
	}
	return true
}

// over says that nothing is left to take.
func (q *Quota) over() bool {
	return q.limit > 0 && q.Taken.Load() >= q.limit || time.Now().After(q.until)
}

// Together lets all connections ask until the quota is over.
func Together(ctx context.Context, q *Quota, all []*driver.KeepAlive, ask func(i int, k *driver.KeepAlive) error) error {
	return driver.Parallel(ctx, len(all), len(all), func(_ context.Context, i int) error {
		for q.take() {
			if err := ask(i, all[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

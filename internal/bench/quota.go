package bench

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// quota is how much work is left: a number of units, a time, or both. Safe for
// concurrent use.
type quota struct {
	limit int64 // zero: none
	until time.Time
	taken atomic.Int64
}

func newQuota(limit int, d time.Duration) *quota {
	return &quota{limit: int64(limit), until: time.Now().Add(d)}
}

// take takes one unit, if there is one left.
func (q *quota) take() bool {
	n := q.taken.Add(1)
	if q.limit > 0 && n > q.limit || time.Now().After(q.until) {
		q.taken.Add(-1)
		return false
	}
	return true
}

// over says that nothing is left to take.
func (q *quota) over() bool {
	return q.limit > 0 && q.taken.Load() >= q.limit || time.Now().After(q.until)
}

// parallel does f for 0 … n-1, some at a time, until one fails.
func parallel(ctx context.Context, n, atOnce int, f func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(n, atOnce) {
		g.Go(func() error {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := f(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

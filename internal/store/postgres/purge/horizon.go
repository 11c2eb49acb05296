package purge

import (
	"context"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// horizon finds out for how long the oldest transaction with an id has been open at least.
// PostgreSQL shows when a transaction of another user, another database or a prepared one began
// only to those with more rights. So this remembers which id was next at which moment: while the
// oldest open id is below one of these, its transaction was open at that moment. Safe for
// concurrent use.
type horizon struct {
	mu   sync.Mutex
	seen []moment // ascending; guarded by mu
}

// moment is when an id was the next to be given out.
type moment struct {
	at   time.Time
	next int64
}

// maxMoments bounds what is remembered; more are seen only after hours.
const maxMoments = 4096

// age is for how long the transaction oldest is open at least; next is the id to be given out now.
func (h *horizon) age(now time.Time, oldest, next int64) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.seen) > 0 && h.seen[0].next <= oldest {
		h.seen = h.seen[1:]
	}
	if next > oldest && len(h.seen) < maxMoments {
		h.seen = append(h.seen, moment{now, next})
	}
	if len(h.seen) == 0 {
		return 0
	}
	return now.Sub(h.seen[0].at)
}

// watchHorizon tells the metric how old the horizon is.
func (s *Store) watchHorizon(ctx context.Context) error {
	var oldest, next int64
	err := s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		return c.QueryRow(ctx, `SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s`).Scan(&oldest, &next)
	})
	if err == nil {
		s.db.Metrics.Horizon.Set(s.horizon.age(s.db.Now(), oldest, next).Seconds())
	}
	return err
}

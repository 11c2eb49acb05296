package files

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	askEvery = 5 * time.Second // how often Check asks the storage, whoever calls it
	askWait  = 2 * time.Second // how long the storage may take for its answer
)

// asked is the last answer of the storage.
type asked struct {
	mu  sync.Mutex // held while the storage is asked
	at  time.Time
	err error
}

// Check reports whether the storage can be used. It asks the storage at most every five
// seconds and otherwise repeats the last answer, so that callers cannot burden it.
func (s *Store) Check(ctx context.Context) error {
	a := &s.asked
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.at.IsZero() && time.Since(a.at) < askEvery {
		return a.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWait) // the answer is also for later callers
	defer cancel()
	was := a.err
	a.err = s.storage.Check(ctx)
	a.at = time.Now()
	switch {
	case a.err != nil && was == nil:
		s.log.Warn("the storage of uploads is away: uploads and downloads are answered 5030", slog.Any("err", a.err))
	case a.err == nil && was != nil:
		s.log.Info("the storage of uploads answers again")
	}
	return a.err
}

// up is Check as a metric.
func (s *Store) up() float64 {
	if s.Check(context.Background()) != nil {
		return 0
	}
	return 1
}

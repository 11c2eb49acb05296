// Package feed runs what follows the store's feed and what only one node at a time may
// do. It knows no use case: what is done with the entries is the caller's.
//
// There are two kinds of readers. The doorbell runs on every node, from where the feed
// ended when the node started, with its cursor in memory. A consumer runs on one node,
// under a lease, with its cursor in the store; when that node dies another goes on from
// the cursor, so a consumer may see entries again and must be idempotent.
package feed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/store"
)

// Store is what the runner needs of a store.
type Store interface {
	store.Feed
	store.Leases
}

// Options are what a runner works with.
type Options struct {
	Store      Store
	Node       string                // names this process among the nodes; no other may have the name
	Now        func() time.Time      // for the lag; nil: time.Now
	Log        *slog.Logger          // nil: no log
	Registerer prometheus.Registerer // nil: no metrics
}

// Runner runs consumers. Each of its methods that takes a context works until that ends
// and leaves no goroutine behind. Safe for concurrent use.
type Runner struct {
	opts    Options
	metrics metrics

	mu    sync.RWMutex
	wakes map[chan struct{}]struct{} // of consumers; guarded by mu
}

// New is a runner over a store.
func New(opts Options) *Runner {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Runner{opts: opts, metrics: newMetrics(opts.Registerer), wakes: make(map[chan struct{}]struct{})}
}

// Wake tells the consumers that this node committed something; it does not wait.
// Without it they notice within pollEvery, as they notice what other nodes commit.
func (r *Runner) Wake() {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for wake := range r.wakes {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

// listen is a channel that Wake writes to until stop is called.
func (r *Runner) listen() (wake chan struct{}, stop func()) {
	wake = make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wakes[wake] = struct{}{}
	return wake, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.wakes, wake)
	}
}

// How a consumer reads.
const (
	pageSize  = 500         // entries
	pollEvery = time.Second // while nothing wakes it
	keepEvery = time.Second // writes down its cursor while there is more to read
)

// Consumer does something with all that is committed.
type Consumer struct {
	Name string // of its lease and cursor
	// FromStart: without a usable cursor it begins with all that is kept, not with what
	// is committed from then on.
	FromStart bool
	// Handle takes entries in their order. After an error it gets the same again, later.
	// It may get entries again that it has handled.
	Handle func(context.Context, []store.Entry) error
}

// Consume runs a consumer while this node has its lease, until ctx ends.
func (r *Runner) Consume(ctx context.Context, c Consumer) {
	r.Alone(ctx, c.Name, func(ctx context.Context, l store.Lease) {
		wake, stop := r.listen()
		defer stop()
		f := following{Runner: r, Consumer: c, lease: l, at: l.Cursor, kept: l.Cursor}
		if !l.Kept {
			f.restart(ctx)
		}
		for ctx.Err() == nil && f.step(ctx, wake) {
		}
	})
}

// following is a consumer at work. It is owned by one goroutine.
type following struct {
	*Runner
	Consumer

	lease  store.Lease
	at     store.FeedCursor
	kept   store.FeedCursor // in the store
	keptAt time.Time
	failed int // times since it last went well
}

// step reads and handles one page, and waits where there is none. It answers false when
// the lease is lost.
func (f *following) step(ctx context.Context, wake <-chan struct{}) bool {
	entries, next, err := f.opts.Store.Feed(ctx, f.at, pageSize)
	if errors.Is(err, store.ErrFeedCursor) {
		f.opts.Log.Warn("feed consumer begins anew: its cursor is of another history or too old", slog.String("consumer", f.Name))
		f.restart(ctx)
		return true
	}
	if err == nil && len(entries) > 0 {
		err = f.Handle(ctx, entries)
	}
	if err != nil {
		f.fail(ctx, err)
		return true
	}
	f.failed = 0
	f.metrics.entries.WithLabelValues(f.Name).Add(float64(len(entries)))
	ended := next == f.at
	f.at = next
	f.lag(entries, ended)
	if err := f.keep(ctx, ended); errors.Is(err, store.ErrLeaseLost) {
		return false
	} else if err != nil {
		f.fail(ctx, err)
		return true
	}
	if ended {
		wait(ctx, pollEvery, wake)
	}
	return true
}

// restart goes to where the consumer begins without a cursor.
func (f *following) restart(ctx context.Context) {
	f.at = store.FeedStart
	if f.FromStart {
		return
	}
	end, err := f.opts.Store.FeedEnd(ctx)
	for ; err != nil && ctx.Err() == nil; end, err = f.opts.Store.FeedEnd(ctx) {
		f.fail(ctx, err)
	}
	f.at = end
}

// keep writes the cursor down, at the end of the feed and now and then before.
func (f *following) keep(ctx context.Context, ended bool) error {
	if f.at == f.kept || !ended && time.Since(f.keptAt) < keepEvery {
		return nil
	}
	if err := f.opts.Store.KeepCursor(ctx, f.lease, f.at); err != nil {
		return err
	}
	f.kept, f.keptAt = f.at, time.Now()
	return nil
}

// lag tells how old the newest entry is that was handled while there may be more.
func (f *following) lag(entries []store.Entry, ended bool) {
	behind := 0.0
	if !ended && len(entries) > 0 {
		behind = max(0, f.opts.Now().Sub(entries[len(entries)-1].At.Time()).Seconds())
	}
	f.metrics.lag.WithLabelValues(f.Name).Set(behind)
}

// fail counts and logs a failure and waits, longer each time.
func (f *following) fail(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	f.metrics.errors.WithLabelValues(f.Name).Inc()
	pause := backoff(f.failed)
	f.failed++
	f.opts.Log.Warn("feed consumer failed; it tries again", slog.String("consumer", f.Name), slog.Duration("after", pause), slog.Any("error", err))
	wait(ctx, pause, nil)
}

// backoff is how long to wait after so many failures before: from 100 ms to 10 s.
func backoff(failed int) time.Duration {
	return min(100*time.Millisecond<<min(failed, 10), 10*time.Second)
}

// wait waits for a time, a wake or the end of ctx.
func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}

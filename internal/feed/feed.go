// Package feed runs the readers of the store's feed, and work that only one node at a time
// may do. It knows no use case: the caller handles the entries.
//
// There are two kinds of readers. The doorbell runs on every node. It keeps its cursor in
// memory and begins at the end that the feed had when the node started. A consumer runs on
// one node, under a lease, and keeps its cursor in the store. When that node dies, another
// node continues from the cursor. So a consumer may receive entries twice and must be
// idempotent.
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

// Store is the part of the store that a Runner uses.
type Store interface {
	store.Feed
	store.Leases
}

// Options configure a Runner.
type Options struct {
	Store      Store
	Node       string                // the name of this process, unique among the nodes
	Now        func() time.Time      // for the lag; nil: time.Now
	Log        *slog.Logger          // nil: no log
	Registerer prometheus.Registerer // nil: no metrics
}

// Runner runs the doorbell, consumers and work under leases. Its methods that take a context
// run until that ends and leave no goroutine behind. Safe for concurrent use.
type Runner struct {
	opts    Options
	metrics metrics

	mu    sync.RWMutex
	wakes map[chan struct{}]struct{} // of consumers; guarded by mu
}

// New makes a Runner.
func New(opts Options) *Runner {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Runner{opts: opts, metrics: newMetrics(opts.Registerer), wakes: make(map[chan struct{}]struct{})}
}

// Wake tells the consumers that this node committed something. It does not block. Commits
// of other nodes they notice within pollEvery.
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

// listen returns a channel that Wake writes to until stop is called.
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

// Bounds of how a consumer reads.
const (
	pageSize  = 500         // entries
	pollEvery = time.Second // if nothing wakes it
	keepEvery = time.Second // how often it stores its cursor while there is more to read
)

// Consumer handles every committed entry.
type Consumer struct {
	Name string // of its lease and cursor
	// FromStart: without a usable cursor the consumer begins at the oldest entry that is
	// kept, instead of at the end of the feed.
	FromStart bool
	// Handle receives entries in order. After an error it receives the same entries again
	// later. It may also receive entries that it has handled.
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

// following is a running consumer. One goroutine owns it.
type following struct {
	*Runner
	Consumer

	lease  store.Lease
	at     store.FeedCursor
	kept   store.FeedCursor // as stored
	keptAt time.Time
	failed int  // failures since the last success
	read   bool // a page, since the lease was taken
}

// step reads and handles one page, or waits if there is none. It returns false when the
// lease is lost.
func (f *following) step(ctx context.Context, wake <-chan struct{}) bool {
	entries, next, err := f.opts.Store.Feed(ctx, f.at, pageSize)
	if errors.Is(err, store.ErrFeedCursor) && f.read {
		f.opts.Log.Warn("feed consumer goes on from its stored cursor: the store has another history", slog.String("consumer", f.Name))
		return false
	}
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
	f.failed, f.read = 0, true
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

// restart moves to where the consumer begins without a cursor.
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

// keep stores the cursor, at the end of the feed and every keepEvery.
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

// lag reports the age of the newest handled entry if there may be more entries.
func (f *following) lag(entries []store.Entry, ended bool) {
	behind := 0.0
	if !ended && len(entries) > 0 {
		behind = max(0, f.opts.Now().Sub(entries[len(entries)-1].At.Time()).Seconds())
	}
	f.metrics.lag.WithLabelValues(f.Name).Set(behind)
}

// fail counts and logs a failure and waits for the backoff.
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

// backoff is how long to wait after that many failures: from 100 ms to 10 s.
func backoff(failed int) time.Duration {
	return min(100*time.Millisecond<<min(failed, 10), 10*time.Second)
}

// wait returns after a time, a wake, or the end of ctx.
func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}

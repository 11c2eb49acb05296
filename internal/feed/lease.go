package feed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/store"
)

// A lease lasts leaseFor. Its holder renews it every renewEvery, and the other nodes try to
// claim it every claimEvery. So another node takes over the work of a dead node within
// leaseFor + claimEvery.
const (
	leaseFor   = 4 * time.Second
	renewEvery = time.Second
	claimEvery = time.Second
)

// Alone runs work while this node holds the lease of that name, and again each time it gets
// the lease, until ctx ends. The context of work ends when the lease is lost or may be
// lost; work must then return. What work still does at that moment must be harmless beside
// the next holder, or be refused by the fence of the lease.
func (r *Runner) Alone(ctx context.Context, name string, work func(context.Context, store.Lease)) {
	failed := 0
	for ctx.Err() == nil {
		l, ok, err := r.opts.Store.ClaimLease(ctx, name, r.opts.Node, leaseFor)
		switch {
		case err != nil && ctx.Err() == nil:
			pause := backoff(failed)
			failed++
			r.opts.Log.Warn("lease could not be asked for", slog.String("lease", name), slog.Duration("again_after", pause), slog.Any("error", err))
			wait(ctx, pause, nil)
		case err == nil && ok:
			failed = 0
			r.hold(ctx, l, work)
			wait(ctx, claimEvery, nil)
		default:
			wait(ctx, claimEvery, nil)
		}
	}
}

// hold runs work under a lease. It renews the lease meanwhile and releases it at the end.
func (r *Runner) hold(ctx context.Context, l store.Lease, work func(context.Context, store.Lease)) {
	r.opts.Log.Info("lease taken", slog.String("lease", l.Name), slog.Int64("fence", l.Fence))
	r.metrics.held.WithLabelValues(l.Name).Set(1)
	defer r.metrics.held.WithLabelValues(l.Name).Set(0)
	held, lose := context.WithCancel(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		defer lose()
		r.renew(held, l)
	})
	defer func() {
		lose()
		renewing.Wait()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewEvery)
		defer cancel()
		if err := r.opts.Store.ReleaseLease(ctx, l); err != nil {
			r.opts.Log.Warn("lease could not be released; it ends by itself", slog.String("lease", l.Name), slog.Any("error", err))
		}
	}()
	work(held, l)
}

// renew renews the lease until ctx ends or the lease is lost. A node that cannot reach the
// store stops before another node can claim the lease.
func (r *Runner) renew(ctx context.Context, l store.Lease) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked := time.Now()
		call, cancel := context.WithTimeout(ctx, renewEvery)
		err := r.opts.Store.RenewLease(call, l, leaseFor)
		cancel()
		switch {
		case err == nil:
			last = asked
		case ctx.Err() != nil:
			return
		case errors.Is(err, store.ErrLeaseLost) || time.Since(last) > leaseFor-2*renewEvery:
			r.opts.Log.Warn("lease lost", slog.String("lease", l.Name), slog.Any("error", err))
			return
		}
	}
}

package feed

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/skein-im/skein/internal/store"
)

// ringEvery is how often the doorbell reads the feed. It rings for what it finds one read
// later: events that are still on their way then arrive first, and nothing needs repair. So
// a conversation is rung within twice ringEvery.
const ringEvery = 500 * time.Millisecond

// doorbell is the label of the doorbell in the metrics.
const doorbell = "doorbell"

// Doorbell calls ring for each conversation in which any node committed something, until
// ctx ends. ring must not block. So a node notices a lost event even if no later event
// follows in that conversation. It calls missed when the store has another history, such as
// after a failover: it does not ring for what was committed before it has begun anew there.
func (r *Runner) Doorbell(ctx context.Context, ring func(store.Moved), missed func()) {
	tick := time.NewTicker(ringEvery)
	defer tick.Stop()
	var at store.FeedCursor
	var found []store.Moved
	failing := false
	for begun := false; ; {
		var err error
		if !begun {
			at, err = r.opts.Store.FeedEnd(ctx)
			begun = err == nil
		}
		for _, m := range found {
			ring(m)
		}
		r.metrics.entries.WithLabelValues(doorbell).Add(float64(len(found)))
		clear(found)
		found = found[:0]
		if begun {
			found, at, err = r.moved(ctx, at, found)
		}
		if errors.Is(err, store.ErrFeedCursor) {
			begun = false
			missed()
		}
		if err != nil && ctx.Err() == nil {
			r.metrics.errors.WithLabelValues(doorbell).Inc()
			if !failing {
				r.opts.Log.Warn("doorbell cannot read the feed; it tries again", slog.Any("error", err))
			}
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// moved appends the conversations that changed between a cursor and the end of the feed. It
// returns the cursor it has reached, also with an error.
func (r *Runner) moved(ctx context.Context, at store.FeedCursor, found []store.Moved) ([]store.Moved, store.FeedCursor, error) {
	for {
		some, next, err := r.opts.Store.Moved(ctx, at)
		if err != nil || next == at {
			return found, at, err
		}
		found, at = append(found, some...), next
	}
}

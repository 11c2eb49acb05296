package feed

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// ringEvery is how often the doorbell looks at the feed. What it finds it tells one look
// later, so that events which are still on their way arrive first and repair nothing: a
// conversation is rung within two looks.
const ringEvery = 500 * time.Millisecond

// doorbell is the name under which the doorbell is counted.
const doorbell = "doorbell"

// Doorbell tells ring of each conversation in which messages were stored or changed by
// any node, with its newest numbers, until ctx ends. ring must not wait. Whoever has
// missed something live learns of it so, even if nothing more is said there.
func (r *Runner) Doorbell(ctx context.Context, ring func(app string, conv skein.ID, lastSeq, lastChange int64)) {
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
			ring(m.App, m.Conv, m.LastSeq, m.Changes)
		}
		r.metrics.entries.WithLabelValues(doorbell).Add(float64(len(found)))
		clear(found)
		found = found[:0]
		if begun {
			found, at, err = r.moved(ctx, at, found)
		}
		if errors.Is(err, store.ErrFeedCursor) {
			begun = false
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

// moved appends what moved between a cursor and the end of the feed, and answers where it
// has come to, also with an error.
func (r *Runner) moved(ctx context.Context, at store.FeedCursor, found []store.Moved) ([]store.Moved, store.FeedCursor, error) {
	for {
		some, next, err := r.opts.Store.Moved(ctx, at)
		if err != nil || next == at {
			return found, at, err
		}
		found, at = append(found, some...), next
	}
}

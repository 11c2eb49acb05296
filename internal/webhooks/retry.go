package webhooks

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire"
)

func isCursor(err error) bool { return errors.Is(err, store.ErrFeedCursor) }

// same reports whether two events are of one entry.
func same(a, b store.Entry) bool {
	return a.Kind == b.Kind && a.Conv == b.Conv && a.Seq == b.Seq && a.Change == b.Change && a.Event == b.Event && a.Client == b.Client && a.At == b.At
}

// idOfBatch is the webhook-id of a call: that of its event, or one made of all.
func idOfBatch(b batch) string {
	if len(b) == 1 {
		return b[0].id
	}
	e := store.Entry{}
	for _, ev := range b {
		e.Clients = append(e.Clients, ev.id)
	}
	return "batch_" + idOf(e, "batch")[len("evt_"):]
}

// bodyOf is the body of a call: one event, or a batch where the endpoint takes batches.
func bodyOf(b batch, batches bool) []byte {
	if !batches {
		return b[0].body
	}
	bodies := make([][]byte, len(b))
	for i, ev := range b {
		bodies[i] = ev.body
	}
	return wire.AppendHookBatch(nil, wire.HookTime(b[0].entry.At.Time()), bodies)
}

// retry tries failed deliveries again when they are due, until ctx ends.
func (e *endpoint) retry(ctx context.Context) {
	for ctx.Err() == nil {
		due, next := e.due()
		if len(due) == 0 {
			wait(ctx, next, e.wakeUp)
			continue
		}
		var g sync.WaitGroup
		for _, f := range due {
			g.Go(func() { e.again(ctx, f) })
		}
		g.Wait()
	}
}

// due are some failed deliveries to be tried now; next is how long there is nothing to try. With Ordered only the
// first one of a conversation may be tried. If the last call failed, the first of all is tried also before it is due: so that an
// endpoint that answers again is noticed.
func (e *endpoint) due() (due []store.FailedDelivery, next time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := skein.MillisOf(e.d.opts.Now())
	next = time.Second
	behind := map[skein.ID]bool{}
	for i, f := range e.failed {
		conv := f.Entries[0].Conv
		probe := i == 0 && e.failures > 0 && e.probeAt <= now
		blocked := e.Settings.Ordered && !conv.IsZero() && behind[conv]
		behind[conv] = true
		switch {
		case blocked:
		case f.Due <= now || probe:
			if due = append(due, *f); len(due) == lanes {
				return due, 0
			}
		default:
			next = min(next, f.Due.Time().Sub(now.Time()))
		}
	}
	return due, next
}

// again tries a failed delivery once more.
func (e *endpoint) again(ctx context.Context, f store.FailedDelivery) {
	events, err := e.d.build.events(ctx, e.Webhook, f.Entries)
	if err != nil {
		if ctx.Err() == nil {
			e.d.opts.Log.Warn("what a webhook delivers could not be read; it is tried again", slog.String("webhook", e.ID), slog.Any("error", err))
		}
		wait(ctx, time.Second, nil)
		return
	}
	for b := range slices.Chunk(events, max(1, e.Settings.Batch)) {
		a := e.send(ctx, b, f.Attempts+1)
		if ctx.Err() != nil {
			return
		}
		if len(b) == len(events) {
			a.ID = f.ID
		}
		if !e.note(a, b) {
			e.failedAgain(f, a)
			return
		}
	}
	e.done(f.Seq) // also where nothing is left of it, or the endpoint does not want it any more
}

// done removes a failed delivery.
func (e *endpoint) done(seq int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failed = slices.DeleteFunc(e.failed, func(f *store.FailedDelivery) bool { return f.Seq == seq })
	delete(e.put, seq)
	e.remove, e.touched = append(e.remove, seq), true
}

// failedAgain notes another failed attempt: the next one follows by the schedule, or there is none.
func (e *endpoint) failedAgain(f store.FailedDelivery, a store.WebhookAttempt) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.failed, func(g *store.FailedDelivery) bool { return g.Seq == f.Seq })
	if i < 0 {
		return
	}
	now := skein.MillisOf(e.d.opts.Now())
	g := e.failed[i]
	if g.Due > a.At { // it was a probe, which does not count
		return
	}
	g.Attempts, g.Status, g.Error = f.Attempts+1, a.Status, a.Error
	e.touched = true
	if steps := e.d.opts.Schedule; g.Attempts <= len(steps) {
		g.Due = now.Add(jittered(steps[g.Attempts-1]))
		e.put[g.Seq] = struct{}{}
		return
	}
	g.Dead = now
	e.failed = slices.Delete(e.failed, i, i+1)
	delete(e.put, g.Seq)
	e.dead = append(e.dead, *g)
	e.d.metrics.dead.Inc()
	e.d.opts.Log.Warn("a webhook's call was given up: a dead letter", slog.String("app", e.App), slog.String("webhook", e.ID), slog.Int64("seq", g.Seq), slog.String("error", g.Error))
	if e.Dead++; e.Dead >= skein.MaxDeadLetters {
		e.off(skein.DisabledDeadLetters)
	}
}

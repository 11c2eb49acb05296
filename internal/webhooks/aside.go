package webhooks

import (
	"maps"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// hold sets those events aside that must wait behind failed deliveries of their conversations, and returns the others.
func (e *endpoint) hold(b batch) (free batch) {
	if !e.Settings.Ordered {
		return b
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	blocked := map[skein.ID]bool{}
	for _, f := range e.failed {
		blocked[f.Entries[0].Conv] = true
	}
	var waits batch
	for _, ev := range b {
		if conv := ev.entry.Conv; !conv.IsZero() && blocked[conv] {
			waits = append(waits, ev)
		} else {
			free = append(free, ev)
		}
	}
	e.setAside(waits, nil)
	return free
}

// setAside makes failed deliveries of events: one of all, or with Ordered one for each conversation. a is the attempt that
// failed; nil: they wait for others. The caller holds mu.
func (e *endpoint) setAside(b batch, a *store.WebhookAttempt) {
	if len(b) == 0 {
		return
	}
	groups := [][]event{b}
	if e.Settings.Ordered {
		byConv := map[skein.ID][]event{}
		for _, ev := range b {
			byConv[ev.entry.Conv] = append(byConv[ev.entry.Conv], ev)
		}
		groups = slices.Collect(maps.Values(byConv))
	}
	now := skein.MillisOf(e.d.opts.Now())
	for _, g := range groups {
		e.last++
		f := &store.FailedDelivery{Seq: e.last, ID: idOfBatch(g), First: now, Due: now}
		if a != nil {
			f.Attempts, f.First, f.Status, f.Error = 1, a.At, a.Status, a.Error
			f.Due = now.Add(jittered(e.d.opts.Schedule[0]))
		}
		for _, ev := range g {
			if n := len(f.Entries); n == 0 || !same(f.Entries[n-1], ev.entry) {
				f.Entries = append(f.Entries, ev.entry)
			}
		}
		e.failed = append(e.failed, f)
		e.put[f.Seq] = struct{}{}
	}
	e.touched = true
}

// later sets a batch aside whose call failed. It returns false where the endpoint is down now: then the batch stays where it is.
func (e *endpoint) later(b batch, a store.WebhookAttempt) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down {
		return false
	}
	e.setAside(b, &a)
	return true
}

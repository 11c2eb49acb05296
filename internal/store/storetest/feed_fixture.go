package storetest

import (
	"fmt"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// feedAfter reads the feed to its end.
func (f *fixture) feedAfter(at store.FeedCursor, limit int) (all []store.Entry, next store.FeedCursor) {
	f.Helper()
	for {
		entries, next, err := f.Feed(f.Context(), at, limit)
		f.must(err)
		if len(entries) > limit {
			f.Fatalf("got %d entries, want %d at the most", len(entries), limit)
		}
		if all = append(all, entries...); next == at {
			return all, next
		}
		at = next
	}
}

// movedAfter is what moved between a cursor and the end.
func (f *fixture) movedAfter(at store.FeedCursor) (all map[skein.ID]store.Moved, next store.FeedCursor) {
	f.Helper()
	for {
		moved, next, err := f.Moved(f.Context(), at)
		f.must(err)
		for _, m := range moved {
			if all == nil {
				all = make(map[skein.ID]store.Moved)
			}
			m.Edits = f.unnumbered(m.Edits)
			all[m.Conv] = m
		}
		if next == at {
			return all, next
		}
		at = next
	}
}

func kinds(entries []store.Entry) (all []store.EntryKind) {
	for _, e := range entries {
		all = append(all, e.Kind)
	}
	return all
}

// unnumbered takes the numbers of events away, which engines give as they like. Each event has one of its own.
func (f *fixture) unnumbered(entries []store.Entry) []store.Entry {
	f.Helper()
	entries = slices.Clone(entries)
	known := map[int64]bool{}
	for i, e := range entries {
		numbered := e.Kind != store.EntryMessage && e.Kind != store.EntryChange
		if numbered != (e.Event > 0) || numbered && known[e.Event] {
			f.Errorf("got the number %d for entry %d, %+v; known: %v", e.Event, i, e, known)
		}
		known[e.Event] = true
		entries[i].Event = 0
	}
	return entries
}

// lines are entries as lines, so that a difference is read easily.
func lines(entries []store.Entry) (all []string) {
	for _, e := range entries {
		all = append(all, fmt.Sprintf("\n%+v", e))
	}
	return slices.Clip(all)
}

// becomesRole gives a member a role.
func (f *fixture) becomesRole(app string, conv skein.ID, client string, role skein.Role) {
	f.Helper()
	_, _, err := f.UpdateMember(f.Context(), app, conv, store.Authority{}, client, f.now(), func(_ skein.Conversation, m *skein.Member) error {
		m.Role = role
		return nil
	})
	f.must(err)
}

// alterClient alters a client.
func (f *fixture) alterClient(app, client string, change func(*skein.Client)) {
	f.Helper()
	_, err := f.UpdateClient(f.Context(), app, client, func(c *skein.Client) error {
		change(c)
		return nil
	})
	f.must(err)
}

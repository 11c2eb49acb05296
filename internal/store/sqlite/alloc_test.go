package sqlite

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
)

// Budgets: how often the engine may allocate for one call when nobody else calls, so that a
// commit has one message. A change that needs more says here for what.
const (
	appendBudget = 21 // the id, the job and its channel, the commit, what the statements are given, what is told
	retryBudget  = 24 // the same, and the first message as it was stored
	syncBudget   = 10 // of a client for whom nothing is new: the snapshot and what the statements are given
	pageBudget   = 48 // two a message, its texts, beside the list of them
	listenBudget = 5  // the list, and a name for each member
	clientBudget = 3  // its name
)

func TestAllocsOfTheHotPaths(t *testing.T) {
	s := newStore(t, Options{})
	conv, ctx := newGroup(t, s), context.Background()
	said := func(d skein.Draft) error {
		_, _, err := s.Append(ctx, d)
		return err
	}
	for range 30 {
		if err := said(newDraft(conv, "hi")); err != nil {
			t.Fatal(err)
		}
	}
	known := newDraft(conv, "once")
	known.ClientMsgID = "once"
	if err := said(known); err != nil {
		t.Fatal(err)
	}
	synced, err := s.Sync(ctx, "app", "ann", skein.SyncCursor{}, 100)
	if err != nil || !synced.Done {
		t.Fatal(synced, err)
	}
	fresh := newDraft(conv, "a message of an ordinary length")
	for _, tt := range []struct {
		name   string
		budget float64
		work   func() error
	}{
		{"a sync of nothing new", syncBudget, func() error {
			_, err := s.Sync(ctx, "app", "ann", synced.Next, 100)
			return err
		}},
		{"a page of 20", pageBudget, func() error {
			_, err := s.Messages(ctx, "app", conv, skein.SeqRange{Limit: 20, Newest: true})
			return err
		}},
		{"an audience", listenBudget, func() error {
			_, _, err := s.Audience(ctx, "app", conv, 0)
			return err
		}},
		{"a client", clientBudget, func() error {
			_, err := s.Client(ctx, "app", "ann")
			return err
		}},
		{"a retry", retryBudget, func() error { return said(known) }},
		{"a message", appendBudget, func() error {
			fresh.ID = skein.ID(uuid.Must(uuid.NewV7()))
			return said(fresh)
		}},
	} {
		got := testing.AllocsPerRun(200, func() {
			if err := tt.work(); err != nil {
				t.Fatal(err)
			}
		})
		if got > tt.budget {
			t.Errorf("%s: %v allocations, the budget is %v", tt.name, got, tt.budget)
		}
	}
}

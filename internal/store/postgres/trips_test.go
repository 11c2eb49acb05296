package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres"
)

// TestReadsAskTheDatabaseFewTimes counts how often each method waits for an answer: that is most of
// what a read costs.
func TestReadsAskTheDatabaseFewTimes(t *testing.T) {
	url, registry := server.Database(t), prometheus.NewRegistry()
	s, err := postgres.Open(t.Context(), postgres.Options{URL: url, Conns: 1, Registerer: registry, SearchTime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conv := newGroup(t, s)
	begin, err := s.Sync(t.Context(), "app", "ann", skein.SyncCursor{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	say(t, s, conv, 1)
	for name, tt := range map[string]struct {
		want int
		read func(context.Context) error
	}{
		"App": {1, func(ctx context.Context) error {
			_, err := s.App(ctx, "app")
			return err
		}},
		"Client": {1, func(ctx context.Context) error {
			_, err := s.Client(ctx, "app", "ann")
			return err
		}},
		"Conversation": {1, func(ctx context.Context) error {
			_, _, err := s.Conversation(ctx, "app", conv, "ann")
			return err
		}},
		"Audience": {1, func(ctx context.Context) error {
			_, _, err := s.Audience(ctx, "app", conv, 0)
			return err
		}},
		"SessionsOf": {1, func(ctx context.Context) error {
			_, err := s.SessionsOf(ctx, "app", []string{"ann"})
			return err
		}},
		"Messages": {1, func(ctx context.Context) error {
			_, err := s.Messages(ctx, "app", conv, skein.SeqRange{Limit: 10, Viewer: "ann"})
			return err
		}},
		"Changes": {1, func(ctx context.Context) error {
			_, err := s.Changes(ctx, "app", conv, skein.ChangeRange{Limit: 10, Viewer: "ann"})
			return err
		}},
		"Pins": {1, func(ctx context.Context) error {
			_, err := s.Pins(ctx, "app", conv, "ann")
			return err
		}},
		"Members": {3, func(ctx context.Context) error {
			_, err := s.Members(ctx, "app", conv, skein.MemberQuery{Limit: 10})
			return err
		}},
		"View": {2, func(ctx context.Context) error {
			_, err := s.View(ctx, "app", conv, "ann")
			return err
		}},
		"Views": {3, func(ctx context.Context) error {
			_, err := s.Views(ctx, "app", "ann", skein.ViewQuery{Limit: 10})
			return err
		}},
		"Unread": {1, func(ctx context.Context) error {
			_, err := s.Unread(ctx, "app", "ann", false)
			return err
		}},
		"Sync, the first": {3, func(ctx context.Context) error {
			_, err := s.Sync(ctx, "app", "ann", skein.SyncCursor{}, 10)
			return err
		}},
		"Sync of what changed": {3, func(ctx context.Context) error {
			page, err := s.Sync(ctx, "app", "ann", begin.Next, 10)
			if err == nil && len(page.Views) != 1 {
				t.Errorf("sync: got %d conversations, want 1", len(page.Views))
			}
			return err
		}},
		"UpdateMember of what the member alone sees": {2, func(ctx context.Context) error {
			_, _, err := s.UpdateMember(ctx, "app", conv, store.Authority{}, "ann", 3, func(_ skein.Conversation, m *skein.Member) error {
				m.Muted = !m.Muted
				return nil
			})
			return err
		}},
	} {
		var got int
		for range 2 { // the first call also prepares its statements
			before := counter(t, registry, "skein_database_round_trips_total")
			if err := tt.read(t.Context()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got = counter(t, registry, "skein_database_round_trips_total") - before
		}
		if got != tt.want {
			t.Errorf("%s: got %d round trips, want %d", name, got, tt.want)
		}
	}
}

// counter is the value of a metric without labels.
func counter(t *testing.T, registry *prometheus.Registry, name string) (value int) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			value = int(f.GetMetric()[0].GetCounter().GetValue())
		}
	}
	return value
}

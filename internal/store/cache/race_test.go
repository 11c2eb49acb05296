package cache

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/storetest"
)

// A delivery starts in the commit hook, and what it reads must be as of the commit
// at least: nobody who was removed with it hears the message. While the hook runs
// nothing else is committed, so there the cache can be held against the engine
// although readers and writers are all over it.
func TestEveryCommitFindsTheTruth(t *testing.T) {
	const rounds = 100
	var s *Store
	conv := newID()
	var checks atomic.Int64
	told := func([]skein.Committed) {
		if s == nil {
			return
		}
		checks.Add(1)
		got, _, gotErr := s.Audience(t.Context(), "app", conv, 0)
		want, _, wantErr := s.Store.Audience(t.Context(), "app", conv, 0)
		if gotErr != nil || wantErr != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("audience: got %v, %v, want %v, %v", got, gotErr, want, wantErr)
		}
		newest := skein.SeqRange{Limit: 5, Newest: true}
		page, _ := messages(t.Context(), s, "app", conv, newest)
		truth, _ := messages(t.Context(), s.Store, "app", conv, newest)
		if !reflect.DeepEqual(page, truth) {
			t.Errorf("newest page: got %+v\nwant %+v", page, truth)
		}
	}
	cache := open(t, storetest.Options{Committed: told}, DefaultBytes)
	begin(t, cache, conv)
	s = cache

	ctx, stop := context.WithCancel(t.Context())
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() { readUntil(ctx, s, conv) })
	}
	for range 3 {
		writers.Go(func() { sayTimes(t, s, conv, rounds) })
	}
	writers.Go(func() { comeAndGo(t, s, conv, rounds) })
	writers.Wait()
	stop()
	readers.Wait()
	if checks.Load() < rounds/2 {
		t.Errorf("only %d commits were looked at", checks.Load())
	}
}

// begin makes the app, its clients and a group of ann alone.
func begin(t *testing.T, s *Store, conv skein.ID) {
	t.Helper()
	if err := s.CreateApp(t.Context(), skein.App{ID: "app"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range people {
		if _, _, err := s.CreateClient(t.Context(), skein.Client{App: "app", ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := s.CreateConversation(t.Context(), skein.Conversation{App: "app", ID: conv, Type: skein.Group},
		[]skein.Member{{Client: "ann"}}, store.MemberLimit{})
	if err != nil {
		t.Fatal(err)
	}
}

// readUntil reads what may be kept until ctx ends.
func readUntil(ctx context.Context, s *Store, conv skein.ID) {
	for ctx.Err() == nil {
		_, _, _ = s.Conversation(ctx, "app", conv, "ann")
		_, _, _ = s.Audience(ctx, "app", conv, 0)
		_, _ = s.Messages(ctx, "app", conv, skein.SeqRange{Limit: 5, Newest: true})
	}
}

func sayTimes(t *testing.T, s *Store, conv skein.ID, n int) {
	for range n {
		if err := say(t.Context(), s, conv); err != nil {
			t.Error(err)
		}
	}
}

// comeAndGo has bob join and leave.
func comeAndGo(t *testing.T, s *Store, conv skein.ID, n int) {
	for range n {
		_, added := s.AddMembers(t.Context(), "app", conv, store.Authority{}, []string{"bob"}, 1, store.MemberLimit{})
		_, removed := s.RemoveMembers(t.Context(), "app", conv, store.Authority{}, []string{"bob"}, 1, 0)
		if err := errors.Join(added, removed); err != nil {
			t.Error(err)
		}
	}
}

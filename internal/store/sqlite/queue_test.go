package sqlite

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// An app may hold as much of the queue as it leaves free.
func TestAFullQueueRefusesAtOnce(t *testing.T) {
	for name, opt := range map[string]Options{
		"by jobs":  {QueueJobs: 4},
		"by bytes": {QueueBytes: 4 * draftBytes},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, opt)
			conv := newGroup(t, s)
			release := holdWriter(t, s)
			var all sync.WaitGroup
			all.Go(func() { appendMany(t, s, conv, "hi", 2, nil) })
			waitQueued(t, s, 2)
			_, _, err := s.Append(t.Context(), newDraft(conv, "hi"))
			fault, ok := errors.AsType[*skein.Fault](err)
			if !ok || !errors.Is(err, skein.ErrUnavailable) || fault.Retry != time.Second {
				t.Errorf("got error %v, want %v for a second", err, skein.ErrUnavailable)
			}
			release()
			all.Wait()
			appendMany(t, s, conv, "hi", 1, nil)
			wantDense(t, s, conv, 3)
		})
	}
}

// draftBytes is the size in the queue of a newDraft with a text of two bytes.
const draftBytes = 512 + 2

func TestAJobNobodyWaitsForIsNotBegun(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	release := holdWriter(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	var caller sync.WaitGroup
	caller.Go(func() {
		if _, _, err := s.Append(ctx, newDraft(conv, "hi")); !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want %v", err, context.Canceled)
		}
	})
	waitQueued(t, s, 1)
	cancel()
	caller.Wait() // it does not wait for the writer
	release()
	appendMany(t, s, conv, "hi", 1, nil)
	wantDense(t, s, conv, 1)
}

func TestWhatIsSaidCountsForTheNextJobOfTheGroup(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	if _, _, err := s.CreateClient(t.Context(), skein.Client{App: "app", ID: "bob"}); err != nil {
		t.Fatal(err)
	}
	release := holdWriter(t, s)
	var all sync.WaitGroup
	all.Go(func() { appendMany(t, s, conv, "hi", 3, nil) })
	waitQueued(t, s, 3)
	all.Go(func() {
		if _, err := s.AddMembers(t.Context(), "app", conv, store.Authority{}, []string{"bob"}, 9, store.MemberLimit{}); err != nil {
			t.Error(err)
		}
	})
	waitQueued(t, s, 4)
	all.Go(func() { appendMany(t, s, conv, "hi", 3, nil) })
	waitQueued(t, s, 7)
	release()
	all.Wait()
	wantDense(t, s, conv, 6)
	if _, bob, err := s.Conversation(t.Context(), "app", conv, "bob"); err != nil || bob == nil || bob.JoinSeq != 4 {
		t.Fatalf("got %+v, %v, want a join at 4", bob, err)
	}
}

func TestCloseCommitsWhatWasTaken(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	release := holdWriter(t, s)
	var all sync.WaitGroup
	all.Go(func() { appendMany(t, s, conv, "hi", 50, nil) })
	waitQueued(t, s, 50)
	all.Go(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	release()
	all.Wait()
	again := openStore(t, Options{Path: s.db.Engine().Path()})
	wantDense(t, again, conv, 50)
	wantIntact(t, again)
}

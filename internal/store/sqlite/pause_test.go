package sqlite

import (
	"context"
	"sync"
	"testing"

	"github.com/skein-im/skein/internal/share"
)

// What waits for the writer, or reads, is not behind the gate of those who compute.
func TestACallGivesItsTurnUpWhileItWaitsForTheStore(t *testing.T) {
	gate := share.NewGate(1, 0)
	through := func() { // or the test never ends
		var other share.Pass
		other.Enter(gate, "other")
		other.Leave()
	}
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	ctx, pass := share.NewPass(t.Context())
	pass.Enter(gate, "app")
	err := s.readers.do(ctx, func(*connection) error {
		through()
		return nil
	})
	if err != nil || !pass.Leave() {
		t.Fatalf("a read: %v; afterwards it has its turn again, or should", err)
	}

	release := holdWriter(t, s)
	var all sync.WaitGroup
	all.Go(func() {
		ctx, pass := share.NewPass(context.WithoutCancel(ctx))
		pass.Enter(gate, "app")
		if _, _, err := s.Append(ctx, newDraft(conv, "hello")); err != nil || !pass.Leave() {
			t.Errorf("a write: %v; afterwards it has its turn again, or should", err)
		}
	})
	waitQueued(t, s, 1)
	through()
	release()
	all.Wait()
}

package engine

import (
	"context"
	"runtime"
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
	e := newEngine(t, Options{})
	ctx, pass := share.NewPass(t.Context())
	pass.Enter(gate, "app")
	err := e.Read(ctx, "", func(*Conn) error {
		through()
		return nil
	})
	if err != nil || !pass.Leave() {
		t.Fatalf("a read: %v; afterwards it has its turn again, or should", err)
	}

	release := holdWriter(t, e)
	var all sync.WaitGroup
	all.Go(func() {
		ctx, pass := share.NewPass(context.WithoutCancel(ctx))
		pass.Enter(gate, "app")
		if err := change(ctx, e, func(*Conn) error { return nil }); err != nil || !pass.Leave() {
			t.Errorf("a write: %v; afterwards it has its turn again, or should", err)
		}
	})
	for e.Queued() < 1 {
		runtime.Gosched()
	}
	through()
	release()
	all.Wait()
}

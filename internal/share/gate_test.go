package share

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// waitFor waits until n wait at the gate.
func waitFor(g *Gate, n int) {
	for g.Waiting() != n {
		runtime.Gosched()
	}
}

// queue lets n of an app wait at the gate; each tells order when it is in, and leaves.
func queue(all *sync.WaitGroup, g *Gate, app string, n int, order chan<- string) {
	before := g.Waiting()
	for range n {
		all.Go(func() {
			var p Pass
			p.Enter(g, app)
			order <- app
			p.Leave()
		})
	}
	waitFor(g, before+n)
}

func TestABurstOfOneAppWaitsInItsOwnLine(t *testing.T) {
	const rounds, burst = 100, 50
	for range rounds {
		g := NewGate(1, 0)
		order := make(chan string, burst+1)
		var first Pass
		first.Enter(g, "loud")
		var all sync.WaitGroup
		queue(&all, g, "loud", burst, order)
		queue(&all, g, "calm", 1, order)
		first.Leave()
		all.Wait()
		close(order)
		var got []string
		for app := range order {
			got = append(got, app)
		}
		if at := slices.Index(got, "calm"); at > 1 {
			t.Fatalf("the call of the calm app came in as number %d of %d, want 2 at most", at+1, len(got))
		}
	}
}

func TestWhoWaitsForSomethingElseGivesItsPlaceUp(t *testing.T) {
	g := NewGate(1, 0)
	var p, other Pass
	p.Enter(g, "a")
	ctx, cancel := context.WithCancel(p.With(t.Context()))
	defer cancel()
	func() {
		defer Pause(ctx).Resume()
		other.Enter(g, "b") // blocks for ever if the place is not free
		if Pause(ctx) != nil {
			t.Error("paused twice")
		}
		other.Leave()
	}()
	if !p.Leave() {
		t.Error("after Resume it was outside")
	}
	if p.Leave() || Pause(ctx) != nil || Pause(t.Context()) != nil {
		t.Error("it left a place that it did not have")
	}
}

func TestPlacesThatAreBlockedShutNobodyOut(t *testing.T) {
	g := NewGate(2, Stall)
	var blocked [10]Pass
	for i := range blocked {
		blocked[i].Enter(g, "blocked") // from the third on it waits for a stall
	}
	for i := range blocked {
		blocked[i].Leave()
	}
	if free, lent := g.free.Load(), g.lent.Load(); free != 2 || lent != 0 {
		t.Errorf("when all have left: %d places are free and %d lent, want 2 and 0", free, lent)
	}
}

func TestNoPlaceIsLostOrMade(t *testing.T) {
	g := NewGate(2, Stall)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			var p Pass
			for range 1000 {
				p.Enter(g, string(rune('a'+i/2)))
				if i%2 == 0 {
					runtime.Gosched()
				}
				p.Leave()
			}
		})
	}
	all.Wait()
	if free, lent, waiting := g.free.Load(), g.lent.Load(), g.Waiting(); free != 2 || lent != 0 || waiting != 0 {
		t.Errorf("when all have left: %d places are free, %d lent, %d wait; want 2, 0, 0", free, lent, waiting)
	}
}

func TestAGateThatIsNotThereLetsEverybodyIn(*testing.T) {
	var p Pass
	p.Enter(nil, "a")
	p.Leave()
}

func TestAFreeGateCostsNoAllocation(t *testing.T) {
	g := NewGate(2, Stall)
	var p Pass
	if got := testing.AllocsPerRun(1000, func() { p.Enter(g, "app"); p.Leave() }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkAFreeGate(b *testing.B) {
	g := NewGate(2, Stall)
	var p Pass
	for b.Loop() {
		p.Enter(g, "app")
		p.Leave()
	}
}

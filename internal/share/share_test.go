package share

import (
	"strconv"
	"testing"
)

// fill takes one at a time until the holder is refused, and says how many it got.
func fill(p *Pool, holder string) (n int64) {
	for p.Take(holder, 1, 0) {
		n++
	}
	return n
}

func TestOnlyTheReserveIsKeptForOthers(t *testing.T) {
	for name, tt := range map[string]struct{ limit, reserve, first, second, third int64 }{
		"all is reserve":      {100, 100, 50, 25, 12},
		"a tenth is reserve":  {1000, 100, 900, 50, 25},
		"a reserve for one":   {10, 2, 8, 1, 0},
		"nothing to divide":   {0, 0, 0, 0, 0},
		"no reserve: all one": {10, 0, 10, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewReserving(tt.limit, tt.reserve)
			for i, want := range []int64{tt.first, tt.second, tt.third} {
				if got := fill(p, strconv.Itoa(i)); got != want {
					t.Errorf("%+v: holder %d got %d, want %d", tt, i+1, got, want)
				}
			}
		})
	}
}

func TestALargePieceIsHeldToTheShareToo(t *testing.T) {
	p := New(10)
	for n, want := range map[int64]bool{10: false, 6: false, 5: true} {
		got := p.Take("a", n, 0)
		if got != want {
			t.Errorf("%d of 10 at once: got %v, want %v", n, got, want)
		}
		if got {
			p.Give("a", n)
		}
	}
}

func TestANewcomerFindsRoomBesideSeveralGreedyHolders(t *testing.T) {
	p := New(4096)
	for i := range 10 {
		for j := range i + 1 { // they all come again as soon as something is free
			fill(p, "greedy "+strconv.Itoa(j))
		}
		if !p.Take("calm", 1, 0) {
			t.Fatalf("beside %d greedy holders: refused with %d of 4096 taken", i+1, p.Taken())
		}
		p.Give("calm", 1)
	}
}

func TestWhatIsGivenBackIsFree(t *testing.T) {
	p := New(10)
	if !p.Take("a", 5, 0) || p.Take("a", 1, 0) {
		t.Fatalf("half of 10 is a's share; taken %d", p.Taken())
	}
	p.Give("a", 5)
	if got := p.Taken(); got != 0 || len(p.held) != 0 {
		t.Errorf("all was given back: taken %d, held %v", got, p.held)
	}
	if got := p.Refused(); got != 1 {
		t.Errorf("refused %d times, want 1", got)
	}
}

func TestAHolderMayHaveABoundOfItsOwn(t *testing.T) {
	for name, limit := range map[string]int64{"of a bounded pool": 100, "of a pool without bound": -1} {
		p := New(limit)
		if !p.Take("a", 2, 2) || p.Take("a", 1, 2) || !p.Take("b", 1, 2) {
			t.Errorf("%s: a took 2 of its 2 and b 1: taken %d", name, p.Taken())
		}
	}
}

func TestAPoolWithoutBoundRefusesNobody(t *testing.T) {
	p := New(-1)
	for range 1000 {
		if !p.Take("a", 1<<40, 0) {
			t.Fatal("refused")
		}
	}
}

func TestTakingAndGivingAllocatesNothing(t *testing.T) {
	p := New(100)
	p.Take("other", 1, 0)
	if got := testing.AllocsPerRun(1000, func() { p.Take("app", 1, 0); p.Give("app", 1) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

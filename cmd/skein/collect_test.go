package main

import (
	"testing"
	"testing/synctest"
)

func TestASmallHeapMayGatherGarbageWhileThereIsWork(t *testing.T) {
	const mib = 1 << 20
	for name, tt := range map[string]struct {
		allocated, live, stacks uint64 // allocated: since the look before
		grown                   uint64 // of live, likewise
		want                    int
	}{
		"quiet":                              {1 * mib, 10 * mib, 2 * mib, 0, usualPercent},
		"a little work":                      {20 * mib, 10 * mib, 2 * mib, 0, usualPercent},
		"twice in a second":                  {24 * mib, 10 * mib, 2 * mib, 0, 200},
		"many times in a second":             {80 * mib, 10 * mib, 2 * mib, 0, mostPercent},
		"stacks are looked at too":           {80 * mib, 10 * mib, 20 * mib, 0, 200},
		"as much work as there is":           {900 * mib, 1 * mib, 0, 0, mostPercent},
		"so much lives that it is no matter": {900 * mib, 40 * mib, 0, 0, usualPercent},
		"as many times, and more lives":      {80 * mib, 10 * mib, 2 * mib, 2 * mib, usualPercent},
		"a little more lives":                {80 * mib, 10 * mib, 2 * mib, 1 * mib, mostPercent},
		"nothing was collected yet":          {1 * mib, 0, 0, 0, mostPercent},
	} {
		before := memory{allocated: 1000 * mib, live: tt.live - tt.grown}
		now := memory{allocated: before.allocated + tt.allocated, live: tt.live, stacks: tt.stacks}
		if got := now.percent(before); got != tt.want {
			t.Errorf("%s: got %d %%, want %d", name, got, tt.want)
		}
	}
}

func TestWhoSetsGOGCHasDecided(t *testing.T) {
	t.Setenv("GOGC", "150")
	synctest.Test(t, func(t *testing.T) {
		over := false
		go func() { collectLess(t.Context()); over = true }()
		synctest.Wait()
		if !over {
			t.Error("it goes on, want that it leaves the choice to GOGC")
		}
	})
}

package serve

import (
	"testing"
	"testing/synctest"
)

func TestASmallHeapMayGatherGarbageWhileThereIsWork(t *testing.T) {
	const mib = 1 << 20
	for name, tt := range map[string]struct {
		allocated, live, stacks uint64 // allocated: since the check before
		grown                   uint64 // of live, likewise
		want                    int
	}{
		"quiet":                                        {1 * mib, 10 * mib, 2 * mib, 0, usualPercent},
		"a little work":                                {20 * mib, 10 * mib, 2 * mib, 0, usualPercent},
		"twice in a second":                            {24 * mib, 10 * mib, 2 * mib, 0, 200},
		"many times in a second":                       {80 * mib, 10 * mib, 2 * mib, 0, mostPercent},
		"stacks are scanned too":                       {80 * mib, 10 * mib, 20 * mib, 0, 200},
		"as much work as possible":                     {900 * mib, 1 * mib, 0, 0, mostPercent},
		"a large live heap":                            {900 * mib, 40 * mib, 0, 0, usualPercent},
		"many times, but the live data grows":          {80 * mib, 10 * mib, 2 * mib, 2 * mib, usualPercent},
		"many times, and the live data grows a little": {80 * mib, 10 * mib, 2 * mib, 1 * mib, mostPercent},
		"nothing was collected yet":                    {1 * mib, 0, 0, 0, mostPercent},
	} {
		before := memory{allocated: 1000 * mib, live: tt.live - tt.grown}
		now := memory{allocated: before.allocated + tt.allocated, live: tt.live, stacks: tt.stacks}
		if got := now.percent(before); got != tt.want {
			t.Errorf("%s: got %d %%, want %d", name, got, tt.want)
		}
	}
}

func TestGarbageIsLeftToGOGCIfTheOperatorSetsIt(t *testing.T) {
	t.Setenv("GOGC", "150")
	synctest.Test(t, func(t *testing.T) {
		over := false
		go func() { collectLess(t.Context()); over = true }()
		synctest.Wait()
		if !over {
			t.Error("it still runs, want that it leaves the choice to GOGC")
		}
	})
}

package serve

import (
	"runtime"
	"testing"
)

func TestMemoryIsSpareWhenTheNodeIsQuiet(t *testing.T) {
	const mib = 1 << 20
	for name, tt := range map[string]struct {
		allocated, live, beyond uint64 // since the check before; live, as the last collection found; held beyond that
		want                    bool
	}{
		"quiet after a storm":                     {1 * mib, 30 * mib, 20 * mib, true},
		"nothing is allocated":                    {0, 4 * mib, spareBytes, true},
		"too little to bother":                    {0, 4 * mib, spareBytes - 1, false},
		"too little compared with the live data":  {0, 800 * mib, 99 * mib, false},
		"at work":                                 {100 * mib, 30 * mib, 20 * mib, false},
		"a minute of this needs all that is held": {2 * mib, 30 * mib, 12 * mib, false},
	} {
		before := memory{allocated: 1000 * mib}
		now := memory{allocated: before.allocated + tt.allocated, live: tt.live, held: tt.live + tt.beyond}
		if got := now.spare(before); got != tt.want {
			t.Errorf("%s: %+v after %+v: got %v, want %v", name, now, before, got, tt.want)
		}
	}
}

func TestTheStateOfTheHeapIsRead(t *testing.T) {
	runtime.GC() // finds the live data
	if m := readMemory(); m.allocated == 0 || m.live == 0 || m.held < m.live {
		t.Errorf("got %+v, want all above zero, and held at least live", m)
	}
}

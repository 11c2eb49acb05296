package load

import (
	"testing"

	"github.com/skein-im/skein/internal/bench/driver"
)

func TestAProfileIsNamedForItsPhase(t *testing.T) {
	for want, in := range map[string][3]string{
		"/tmp/cpu-pairs-window-16.pprof": {"/tmp/cpu.pprof", "pairs", "window 16"},
		"cpu-rest":                       {"cpu", "rest", ""},
	} {
		if got := profileName(in[0], in[1], in[2]); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestTheFloorIsPutBesideFiguresOfTheSameName(t *testing.T) {
	m := Measured{Took: 1e9, Used: driver.Usage{Nodes: 2e9}, own: 1e9, Known: true}
	values := WithFloor(m.Values("message", "messages", 1000, nil, nil), Measured{Took: 1e9, Used: driver.Usage{Nodes: 1e9}, Known: true}.Values("message", "messages", 4000, nil, nil))
	if v := values[0]; v.Value != 2000 || *v.Floor != 250 || v.Unit != "µs" {
		t.Errorf("CPU: got %+v, want 2000 µs over 250", v)
	}
	if v := values[1]; v.Value != 1000 || *v.Floor != 4000 {
		t.Errorf("rate: got %+v, want 1000 over 4000", v)
	}
	if v := values[2]; v.Floor != nil {
		t.Errorf("generator: got a floor: %+v", v)
	}
}

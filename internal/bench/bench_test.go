package bench

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestAScenarioThatIsNotThereIsRefused(t *testing.T) {
	_, err := Run(context.Background(), Options{Scenarios: []string{"idle", "nothing"}}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), `no scenario "nothing"; there are idle, pairs`) {
		t.Errorf("got %v", err)
	}
}

func TestATargetIsAURL(t *testing.T) {
	if got, err := hostOf("--target", "http://127.0.0.1:8080"); err != nil || got != "127.0.0.1:8080" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, raw := range []string{"", "127.0.0.1:8080", "https://example.com:443", "http://example.com", "http://a b:1"} {
		if got, err := hostOf("--target", raw); err == nil {
			t.Errorf("%q: got %q, want an error", raw, got)
		}
	}
}

func TestSocketsComeFromManyAddresses(t *testing.T) {
	for n, want := range map[int64]string{0: "127.0.1.1:0", perSource - 1: "127.0.1.1:0", perSource: "127.0.1.2:0", 250 * perSource: "127.0.2.1:0"} {
		if got := sourceOf(n).String(); got != want {
			t.Errorf("socket %d: got %s, want %s", n, got, want)
		}
	}
	for _, addr := range []string{"192.0.2.1:80", "[::1]:80", "example.com:80", "nonsense"} {
		if manySources(addr) {
			t.Errorf("%s is not this machine under many addresses", addr)
		}
	}
}

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
	m := measured{took: 1e9, cpu: 2e9, own: 1e9, known: true}
	values := withFloor(m.values("message", "messages", 1000, nil, nil), measured{took: 1e9, cpu: 1e9, known: true}.values("message", "messages", 4000, nil, nil))
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

package driver

import "testing"

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

func TestTheClientsOfAPairAreOnDifferentNodes(t *testing.T) {
	for nodes := 1; nodes <= 5; nodes++ {
		h := NewHost()
		for range nodes - 1 {
			h.another()
		}
		senders := map[*Host]int{}
		const pairs = 60
		for i := range pairs {
			if one, other := h.At(2*i), h.At(2*i+1); nodes > 1 && one == other {
				t.Errorf("%d nodes: clients %d and %d are on the same node", nodes, 2*i, 2*i+1)
			}
			senders[h.At(2*i)]++
		}
		for _, n := range senders {
			if len(senders) != nodes || n != pairs/nodes {
				t.Errorf("%d nodes: got senders %v, want %d on each", nodes, senders, pairs/nodes)
				break
			}
		}
	}
}

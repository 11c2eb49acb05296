package e2e

import (
	"strings"
	"testing"
)

// The command is for images that have no curl: what /readyz says is its exit code.
func TestTheCommandReadySaysWhatTheServerSays(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, port, _ := strings.Cut(s.Addr, ":")
	for _, addr := range []string{s.Addr, ":" + port, "0.0.0.0:" + port} {
		if _, said, exit := skein(t, "ready", "--addr", addr); exit != 0 || said != "" {
			t.Errorf("skein ready --addr %s beside a server: got exit code %d, %q; want 0 and nothing", addr, exit, said)
		}
	}
	s.Kill(t)
	if _, said, exit := skein(t, "ready", "--addr", s.Addr); exit != 1 || !strings.Contains(said, "not ready") {
		t.Errorf("skein ready without a server: got exit code %d, %q; want 1 and why", exit, said)
	}
}

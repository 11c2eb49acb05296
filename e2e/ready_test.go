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
		eventually(t, "skein ready --addr "+addr+" beside a server ends with 0 and says nothing", func() bool { // it waits 3 s for an answer
			_, said, exit := skein(t, "ready", "--addr", addr)
			return exit == 0 && said == ""
		})
	}
	s.Kill(t)
	if _, said, exit := skein(t, "ready", "--addr", s.Addr); exit != 1 || !strings.Contains(said, "not ready") {
		t.Errorf("skein ready without a server: got exit code %d, %q; want 1 and why", exit, said)
	}
}

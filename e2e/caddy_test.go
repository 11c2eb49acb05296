package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// startCaddy is startNginx for Caddy, whose certificates would come from the network.
func startCaddy(t *testing.T, s *server) *realProxy {
	t.Helper()
	if _, err := exec.LookPath("caddy"); err != nil {
		t.Skip("no caddy: scripts/install.sh installs it")
	}
	dir, addr := t.TempDir(), freeAddr()
	cert, pool := certificate(t, dir)
	config := "{\n\tadmin off\n\tauto_https off\n}\n" + exampleOf(t, "caddyfile",
		[2]string{"127.0.0.1:8080", s.Addr},
		[2]string{"im.example.com {", fmt.Sprintf("https://%s {\n    bind 127.0.0.1\n    tls %s.pem %s.key", addr, cert, cert)})
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &realProxy{name: "caddy", url: "https://" + addr}
	c.run(t, pool, "run", "--config", file, "--adapter", "caddyfile")
	return c
}

func TestBehindCaddy(t *testing.T) {
	t.Parallel()
	s := start(t, behindProxy()...)
	startCaddy(t, s).wantPassed(t, s)
}

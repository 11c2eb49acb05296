package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// startNginx runs the example of docs/operations.md in front of s, on a free port
// and with a certificate of its own.
func startNginx(t *testing.T, s *server) *realProxy {
	t.Helper()
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Skip("no nginx: scripts/install.sh installs it")
	}
	dir, addr := t.TempDir(), freeAddr()
	cert, pool := certificate(t, dir)
	n := &realProxy{name: "nginx", url: "https://" + addr, plain: freeAddr()}
	example := exampleOf(t, "nginx",
		[2]string{"listen 443", "listen " + addr},
		[2]string{"127.0.0.1:8080", s.Addr},
		[2]string{"/etc/ssl/im.example.com", cert},
		[2]string{"im.example.com", "127.0.0.1"},
		[2]string{"$server_name;", addr + ";"})
	config := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http {
access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
%[2]s
server { listen %[3]s; client_max_body_size 101m; location / { proxy_pass http://%[4]s; } }
}
`, dir, example, n.plain, s.Addr)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	n.run(t, pool, "-p", dir, "-c", file)
	return n
}

func TestBehindNginx(t *testing.T) {
	t.Parallel()
	s := start(t, behindProxy()...)
	startNginx(t, s).wantPassed(t, s)
}

func TestWhatIsNoSocketIsToldToUpgrade(t *testing.T) {
	t.Parallel()
	res, _ := dev(t).s.rawHTTP(t, "GET /im/socket HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if res.StatusCode != http.StatusUpgradeRequired || res.Header.Get("Upgrade") != "websocket" || !strings.EqualFold(res.Header.Get("Connection"), "upgrade") {
		t.Errorf("GET /im/socket: got %s, %v; want 426, Upgrade: websocket, Connection: Upgrade", res.Status, res.Header)
	}
}

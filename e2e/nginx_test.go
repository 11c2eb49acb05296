package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// nginx is a real one in front of a server, as docs/operations.md has it.
type nginx struct {
	url    string // https://host:port
	plain  string // host:port of one that is told nothing but where to pass requests
	client *http.Client
	tls    *tls.Config
}

// startNginx runs the example of docs/operations.md in front of s, on a free port
// and with a certificate of its own.
func startNginx(t *testing.T, s *server) *nginx {
	t.Helper()
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Skip("no nginx: scripts/install.sh installs it")
	}
	doc, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(doc), "```nginx\n")
	example, _, found := strings.Cut(example, "```")
	if !found {
		t.Fatal("docs/operations.md has no example for nginx")
	}
	dir, addr := t.TempDir(), freeAddr()
	cert, pool := certificate(t, dir)
	for _, edit := range [][2]string{
		{"listen 443", "listen " + addr},
		{"127.0.0.1:8080", s.Addr},
		{"/etc/ssl/im.example.com", cert},
		{"im.example.com", "127.0.0.1"},
		{"$server_name;", addr + ";"},
	} {
		if !strings.Contains(example, edit[0]) {
			t.Fatalf("the example for nginx has no %q:\n%s", edit[0], example)
		}
		example = strings.ReplaceAll(example, edit[0], edit[1])
	}
	n := &nginx{url: "https://" + addr, plain: freeAddr(), tls: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
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
	log := &logBuffer{}
	cmd := exec.Command("nginx", "-p", dir, "-c", file)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n.client = &http.Client{Timeout: 2 * patience, Transport: &http.Transport{
		TLSClientConfig: n.tls, ForceAttemptHTTP2: true, DisableCompression: true,
	}}
	t.Cleanup(func() {
		n.client.CloseIdleConnections()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
		if t.Failed() {
			t.Logf("nginx:\n%s", log.tail(0))
		}
	})
	eventually(t, "nginx answers", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return n
}

// certificate makes one of 127.0.0.1: NAME.pem and NAME.key.
func certificate(t *testing.T, dir string) (name string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(dir, "cert")
	for ext, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name+ext, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return name, pool
}

// do is one request through nginx.
func (n *nginx) do(t *testing.T, method, target string, h headers, body io.Reader) (*http.Response, []byte) {
	t.Helper()
	if !strings.Contains(target, "://") {
		target = n.url + target
	}
	req, err := http.NewRequest(method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range h {
		req.Header.Set(k, v)
	}
	res, err := n.client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return res, raw
}

var partOfPage = regexp.MustCompile(`(?:src|href)="([^"#]+)"`)

func TestBehindNginx(t *testing.T) {
	t.Parallel()
	s := start(t, withArgs("--allow-open-apps", "--trusted-proxies", "127.0.0.1", "--sockets-per-address", "2"))
	n := startNginx(t, s)
	demo := demoApp(s)
	shop := newApp(t, s, unique("shop"), "--max-file-bytes", "1000000")
	eventually(t, "the server follows `skein app create`", func() bool { return s.once(t, "GET", "/im/users", shop.server(), nil).Code == 0 })

	for _, prefix := range []string{"", "/chat"} {
		res, page := n.do(t, "GET", prefix+"/", nil, nil)
		if res.StatusCode != 200 || res.ProtoMajor != 2 {
			t.Fatalf("the page at %s/: got %s by %s, want 200 by HTTP/2", prefix, res.Status, res.Proto)
		}
		base, _ := url.Parse(n.url + prefix + "/")
		parts := partOfPage.FindAllSubmatch(page, -1)
		for _, part := range append(parts, [][]byte{nil, []byte("demo.json")}) {
			at, err := base.Parse(string(part[1]))
			if err != nil {
				t.Fatal(err)
			}
			if res, _ := n.do(t, "GET", at.String(), nil, nil); res.StatusCode != 200 || !strings.HasPrefix(at.Path, prefix+"/") {
				t.Errorf("%s of the page at %s/ is %s: got %s, want 200", part[1], prefix, at, res.Status)
			}
		}
		if len(parts) < 10 {
			t.Errorf("the page at %s/ names %d parts", prefix, len(parts))
		}
		if got, err := n.envelope(t, "GET", prefix+"/im/users", shop.server(), nil); err != nil || got.Code != 0 {
			t.Errorf("REST at %s: got %v, %v", prefix, got, err)
		}

		form, contentType := multipartBody(t, multipartFile{"file", "a.png", realPNG(t)})
		got, err := n.envelope(t, "POST", prefix+"/im/file/upload", shop.server().with(headers{"Content-Type": contentType, "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}), form)
		if err != nil || got.Code != 0 {
			t.Fatalf("upload at %s: got %v, %v", prefix, got, err)
		}
		var link string
		got.into(t, &link)
		if !strings.HasPrefix(link, n.url+prefix+"/storage/uploads/") {
			t.Errorf("link at %s: got %s, want %s%s/storage/uploads/…", prefix, link, n.url, prefix)
		}
		if res, _ := n.do(t, "GET", link, nil, nil); res.StatusCode != 200 {
			t.Errorf("GET %s: got %s, want 200", link, res.Status)
		}

		c, err := n.dial(prefix, "127.0.0.2", headers{"Origin": n.url})
		if err != nil {
			t.Fatalf("a socket at %s: %v", prefix, err)
		}
		ans, err := c.try("login", demo.loginData("Tom", "d"+prefix[min(1, len(prefix)):]))
		if err != nil || ans.Code != 0 {
			t.Errorf("login at %s: got %v, %v", prefix, ans, err)
		}
		c.drop()
		if c, err := n.dial(prefix, "127.0.0.2", headers{"Origin": "https://evil.example"}); err == nil {
			c.drop()
			t.Errorf("a page of another site opened a socket at %s", prefix)
		}
		n.refusals(t, prefix, shop)
	}

	n.refusals(t, "http://"+n.plain, shop)

	// Each client counts by its own address, whatever it says of itself.
	for i, from := range []string{"127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.3"} {
		c, err := n.dial("", from, headers{"X-Forwarded-For": fmt.Sprintf("203.0.113.%d", i)})
		if err == nil {
			t.Cleanup(c.drop)
		}
		if (err != nil) != (i == 2) {
			t.Errorf("socket %d, of %s: got %v, want the third refused", i+1, from, err)
		}
	}
}

// refusals are answers to bodies that the server does not read to their end: the
// caller gets the server's own answer, not nginx's 502.
func (n *nginx) refusals(t *testing.T, prefix string, a *app) {
	t.Helper()
	for _, size := range []int64{257 << 10, 2 << 20, 40 << 20} {
		for name, body := range map[string]io.Reader{
			"a length":  io.LimitReader(spaces{}, size),
			"no length": struct{ io.Reader }{io.LimitReader(spaces{}, size)},
		} {
			h := a.server().with(headers{"Content-Type": "application/json"})
			if name == "a length" {
				body = bytes.NewReader(bytes.Repeat([]byte(" "), int(size)))
			}
			if got, err := n.envelope(t, "POST", prefix+"/im/users", h, body); err != nil || got.Code != 4130 {
				t.Errorf("a body of %d KiB with %s: got %v, %v; want 4130", size>>10, name, got, err)
			}
			if got, err := n.envelope(t, "POST", prefix+"/im/users", h.with(headers{"app-key": "wrong"}), io.LimitReader(spaces{}, size)); err != nil || got.Code != 4003 {
				t.Errorf("a body of %d KiB with %s and a wrong key: got %v, %v; want 4003", size>>10, name, got, err)
			}
		}
		form, contentType := zeros(t, size)
		want := []int{4130}
		if size < 1_000_000 {
			want = []int{0, 4601}
		}
		got, err := n.envelope(t, "POST", prefix+"/im/file/upload", a.server().with(headers{"Content-Type": contentType}), form)
		if err != nil || got.Code != want[0] && got.Code != want[len(want)-1] {
			t.Errorf("an upload of %d KiB: got %v, %v; want one of %v", size>>10, got, err, want)
		}
	}
}

// spaces are a JSON body that never begins.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// envelope is one call through nginx.
func (n *nginx) envelope(t *testing.T, method, path string, h headers, body io.Reader) (*answer, error) {
	t.Helper()
	res, raw := n.do(t, method, path, h, body)
	return readEnvelope(res.StatusCode, res.Header, raw)
}

// dial opens a socket through nginx from an address of this machine.
func (n *nginx) dial(prefix, from string, h headers) (*socket, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	local := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return dialWith(ctx, ws.Dialer{
		Header: h.handshake(), TLSConfig: &tls.Config{RootCAs: n.tls.RootCAs, MinVersion: tls.VersionTLS12},
		NetDial: local.DialContext,
	}, "wss"+strings.TrimPrefix(n.url, "https")+prefix+"/im/socket")
}

func TestWhatIsNoSocketIsToldToUpgrade(t *testing.T) {
	t.Parallel()
	res, _ := dev(t).s.rawHTTP(t, "GET /im/socket HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if res.StatusCode != http.StatusUpgradeRequired || res.Header.Get("Upgrade") != "websocket" || !strings.EqualFold(res.Header.Get("Connection"), "upgrade") {
		t.Errorf("GET /im/socket: got %s, %v; want 426, Upgrade: websocket, Connection: Upgrade", res.Status, res.Header)
	}
}

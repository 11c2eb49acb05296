package e2e

import (
	"bytes"
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

	"github.com/skein-im/skein/internal/child"
	"github.com/skein-im/skein/internal/testclient"
)

// realProxy is a web server in front of a server, as docs/operations.md has it.
type realProxy struct {
	name   string // of the program
	url    string // https://host:port
	plain  string // host:port of one that is told nothing but where to pass requests; empty: none
	client *http.Client
	tls    *tls.Config
}

// behindProxy are the options of the server behind it.
func behindProxy() []option {
	return []option{withArgs("--allow-open-apps", "--trusted-proxies", "127.0.0.1", "--sockets-per-address", "2")}
}

// exampleOf is the example of docs/operations.md in a language, with the edits made.
func exampleOf(t *testing.T, language string, edits ...[2]string) string {
	t.Helper()
	doc, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(doc), "```"+language+"\n")
	example, _, found := strings.Cut(example, "```")
	if !found {
		t.Fatalf("docs/operations.md has no example in %s", language)
	}
	for _, edit := range edits {
		if !strings.Contains(example, edit[0]) {
			t.Fatalf("the example in %s has no %q:\n%s", language, edit[0], example)
		}
		example = strings.ReplaceAll(example, edit[0], edit[1])
	}
	return example
}

// run starts the proxy, which ends with the test.
func (p *realProxy) run(t *testing.T, pool *x509.CertPool, args ...string) {
	t.Helper()
	log := &logBuffer{}
	cmd := exec.Command(p.name, args...)
	home := t.TempDir()
	cmd.Env = append(cleanEnv(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+home)
	cmd.Stdout, cmd.Stderr = log, log
	ended, err := child.Start(cmd, syscall.SIGKILL, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.tls = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	p.client = &http.Client{Timeout: 2 * patience, Transport: &http.Transport{
		TLSClientConfig: p.tls, ForceAttemptHTTP2: true, DisableCompression: true,
	}}
	t.Cleanup(func() {
		p.client.CloseIdleConnections()
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("%s:\n%s", p.name, log.tail(0))
		}
	})
	eventually(t, p.name+" answers", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "https://"))
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
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

// do is one request through the proxy.
func (p *realProxy) do(t *testing.T, method, target string, h headers, body io.Reader) (*http.Response, []byte) {
	t.Helper()
	if !strings.Contains(target, "://") {
		target = p.url + target
	}
	req, err := http.NewRequest(method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range h {
		req.Header.Set(k, v)
	}
	res, err := p.client.Do(req)
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

// wantPassed wants everything of a server to work through the proxy, at its root and
// below /chat.
func (p *realProxy) wantPassed(t *testing.T, s *server) {
	t.Helper()
	demo := demoApp(s)
	shop := newApp(t, s, unique("shop"), "--max-file-bytes", "1000000")
	eventually(t, "the server follows `skein app create`", func() bool { return s.once(t, "GET", "/im/users", shop.server(), nil).Code == 0 })

	for _, prefix := range []string{"", "/chat"} {
		res, page := p.do(t, "GET", prefix+"/", nil, nil)
		if res.StatusCode != 200 || res.ProtoMajor != 2 {
			t.Fatalf("the page at %s/: got %s by %s, want 200 by HTTP/2", prefix, res.Status, res.Proto)
		}
		base, _ := url.Parse(p.url + prefix + "/")
		parts := partOfPage.FindAllSubmatch(page, -1)
		for _, part := range append(parts, [][]byte{nil, []byte("demo.json")}) {
			at, err := base.Parse(string(part[1]))
			if err != nil {
				t.Fatal(err)
			}
			if res, _ := p.do(t, "GET", at.String(), nil, nil); res.StatusCode != 200 || !strings.HasPrefix(at.Path, prefix+"/") {
				t.Errorf("%s of the page at %s/ is %s: got %s, want 200", part[1], prefix, at, res.Status)
			}
		}
		if len(parts) < 10 {
			t.Errorf("the page at %s/ names %d parts", prefix, len(parts))
		}
		if got, err := p.envelope(t, "GET", prefix+"/im/users", shop.server(), nil); err != nil || got.Code != 0 {
			t.Errorf("REST at %s: got %v, %v", prefix, got, err)
		}

		form, contentType := multipartBody(t, multipartFile{"file", "a.png", realPNG(t)})
		got, err := p.envelope(t, "POST", prefix+"/im/file/upload", shop.server().with(headers{"Content-Type": contentType, "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}), form)
		if err != nil || got.Code != 0 {
			t.Fatalf("upload at %s: got %v, %v", prefix, got, err)
		}
		var link string
		got.into(t, &link)
		if !strings.HasPrefix(link, p.url+prefix+"/storage/uploads/") {
			t.Errorf("link at %s: got %s, want %s%s/storage/uploads/…", prefix, link, p.url, prefix)
		}
		if res, _ := p.do(t, "GET", link, nil, nil); res.StatusCode != 200 {
			t.Errorf("GET %s: got %s, want 200", link, res.Status)
		}

		c, err := p.dial(prefix, "127.0.0.2", headers{"Origin": p.url})
		if err != nil {
			t.Fatalf("a socket at %s: %v", prefix, err)
		}
		ans, err := c.try("login", demo.loginData("Tom", "d"+prefix[min(1, len(prefix)):]))
		if err != nil || ans.Code != 0 {
			t.Errorf("login at %s: got %v, %v", prefix, ans, err)
		}
		c.Drop()
		if c, err := p.dial(prefix, "127.0.0.2", headers{"Origin": "https://evil.example"}); err == nil {
			c.Drop()
			t.Errorf("a page of another site opened a socket at %s", prefix)
		}
		p.refusals(t, prefix, shop)
	}

	if p.plain != "" {
		p.refusals(t, "http://"+p.plain, shop)
	}

	// Each client counts by its own address, whatever it says of itself.
	for i, from := range []string{"127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.3"} {
		c, err := p.dial("", from, headers{"X-Forwarded-For": fmt.Sprintf("203.0.113.%d", i)})
		if err == nil {
			t.Cleanup(c.Drop)
		}
		if (err != nil) != (i == 2) {
			t.Errorf("socket %d, of %s: got %v, want the third refused", i+1, from, err)
		}
	}
}

// refusals are answers to bodies that the server does not read to their end: the
// caller gets the server's own answer, not the proxy's 502.
func (p *realProxy) refusals(t *testing.T, prefix string, a *app) {
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
			if got, err := p.envelope(t, "POST", prefix+"/im/users", h, body); err != nil || got.Code != 4130 {
				t.Errorf("a body of %d KiB with %s: got %v, %v; want 4130", size>>10, name, got, err)
			}
			if got, err := p.envelope(t, "POST", prefix+"/im/users", h.with(headers{"app-key": "wrong"}), io.LimitReader(spaces{}, size)); err != nil || got.Code != 4003 {
				t.Errorf("a body of %d KiB with %s and a wrong key: got %v, %v; want 4003", size>>10, name, got, err)
			}
		}
		form, contentType := zeros(t, size)
		want := []int{4130}
		if size < 1_000_000 {
			want = []int{0, 4601}
		}
		got, err := p.envelope(t, "POST", prefix+"/im/file/upload", a.server().with(headers{"Content-Type": contentType}), form)
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

// envelope is one call through the proxy.
func (p *realProxy) envelope(t *testing.T, method, path string, h headers, body io.Reader) (*answer, error) {
	t.Helper()
	res, raw := p.do(t, method, path, h, body)
	return readEnvelope(res.StatusCode, res.Header, raw)
}

// dial opens a socket through the proxy from an address of this machine.
func (p *realProxy) dial(prefix, from string, h headers) (*socket, error) {
	local := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return dialWith("wss"+strings.TrimPrefix(p.url, "https")+prefix+"/im/socket", testclient.Options{
		Header: h.http(), TLS: &tls.Config{RootCAs: p.tls.RootCAs, MinVersion: tls.VersionTLS12}, NetDial: local.DialContext,
	})
}

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
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/skein-im/skein/internal/testclient"
)

// tlsFiles are a certificate and its key in a folder.
type tlsFiles struct{ cert, key string }

func newTLSFiles(t *testing.T) tlsFiles {
	t.Helper()
	dir := t.TempDir()
	return tlsFiles{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
}

// issue writes a new certificate for im.example and 127.0.0.1, and returns who trusts it.
func (f tlsFiles) issue(t *testing.T, serial int64, until time.Time) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"im.example"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{f.cert: {Type: "CERTIFICATE", Bytes: der}, f.key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}

// trusting is a client that speaks TLS to im.example; versions are the protocols it offers.
func trusting(t *testing.T, pool *x509.CertPool, versions ...string) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "im.example", NextProtos: versions}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 2 * patience, CheckRedirect: httpClient.CheckRedirect}
}

// ask makes a call that asks for host, and returns the answer without its body.
func ask(t *testing.T, c *http.Client, method, url, host string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("app-id", "666666")
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res
}

// overTLS is a server on TLS with its own certificate.
func overTLS(t *testing.T, args ...string) (*server, tlsFiles, *x509.CertPool) {
	t.Helper()
	f := newTLSFiles(t)
	pool := f.issue(t, 1, time.Now().Add(time.Hour))
	s := start(t, withArgs(append([]string{"--tls-cert", f.cert, "--tls-key", f.key, "--allow-open-apps"}, args...)...), func(s *server) {
		s.probeBy = func(path string) int {
			res, err := trusting(t, pool).Get("https://" + s.Addr + path)
			if err != nil {
				return 0
			}
			_ = res.Body.Close()
			return res.StatusCode
		}
	})
	return s, f, pool
}

func TestTLSServesRESTByHTTP2AndSocketsAndTakesNewCertificates(t *testing.T) {
	t.Parallel()
	redirect, admin := freeAddr(), newTLSFiles(t)
	adminPool := admin.issue(t, 7, time.Now().Add(time.Hour))
	s, files, pool := overTLS(t, "--redirect-addr", redirect, "--admin-tls-cert", admin.cert, "--admin-tls-key", admin.key)
	c, base := trusting(t, pool), "https://"+s.Addr

	res := ask(t, c, "GET", base+"/im/users", "im.example")
	if res.StatusCode != 200 || res.Proto != "HTTP/2.0" {
		t.Errorf("REST: got %s %s, want HTTP/2.0 200", res.Proto, res.Status)
	}
	for _, tt := range []struct {
		path, host string
		want       map[string]string
	}{
		{"/im/users", "im.example", map[string]string{
			"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store",
		}},
		{"/nothing", "im.example:8443", map[string]string{"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff"}},
		{"/healthz", "127.0.0.1", map[string]string{"Strict-Transport-Security": "", "X-Content-Type-Options": "nosniff"}},
		{"/", "localhost", map[string]string{"Strict-Transport-Security": "", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}},
	} {
		got := ask(t, c, "GET", base+tt.path, tt.host).Header
		for name, want := range tt.want {
			if got.Get(name) != want {
				t.Errorf("%s of %s: %s: got %q, want %q", tt.path, tt.host, name, got.Get(name), want)
			}
		}
		if csp := got.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("%s: got policy %q", tt.path, csp)
		}
	}
	if res := ask(t, c, "GET", base+"/im/socket", "im.example"); res.StatusCode != http.StatusUpgradeRequired || res.Proto != "HTTP/2.0" {
		t.Errorf("a socket by HTTP/2: got %s %s, want 426", res.Proto, res.Status)
	}
	if _, err := tls.Dial("tcp", s.Addr, &tls.Config{RootCAs: pool, ServerName: "im.example", MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
	eventually(t, "skein ready ends with 0", func() bool { // it waits 3 s for an answer
		_, _, exit := skein(t, "ready", "--addr", s.Addr, "--tls-cert", files.cert)
		return exit == 0
	})
	plain := ask(t, httpClient, "GET", "http://"+redirect+"/im/users?a=b", "im.example")
	_, port, _ := strings.Cut(s.Addr, ":")
	if got, want := plain.Header.Get("Location"), "https://im.example:"+port+"/im/users?a=b"; plain.StatusCode != http.StatusPermanentRedirect || got != want {
		t.Errorf("http://: got %s to %q, want 308 to %q", plain.Status, got, want)
	}
	if res := ask(t, httpClient, "POST", "http://"+redirect+"/im/users", "im.example"); res.StatusCode != http.StatusForbidden {
		t.Errorf("POST http://: got %s, want 403", res.Status)
	}

	trust := &tls.Config{RootCAs: pool, ServerName: "im.example"}
	tom, err := dialWith("wss://"+s.Addr+"/im/socket", testclient.Options{TLS: trust})
	if err != nil {
		t.Fatalf("wss: %v", err)
	}
	defer tom.Drop()
	if f, err := tom.Ask("login", map[string]any{"app_id": "666666", "client_id": "Tom", "device_id": "d"}, patience); err != nil {
		t.Fatalf("login: %v %v", f, err)
	}

	metric := func(name string) string {
		res, err := trusting(t, adminPool).Get("https://" + s.Admin + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		for line := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(line, name+`{listener="public"} `); ok {
				return strings.TrimSpace(value)
			}
		}
		return ""
	}
	served := func(pool *x509.CertPool) int64 {
		conn, err := tls.Dial("tcp", s.Addr, &tls.Config{RootCAs: pool, ServerName: "im.example"})
		if err != nil {
			return 0
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	reload := func() {
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	second := files.issue(t, 2, time.Now().Add(2*time.Hour))
	reload()
	eventually(t, "the new certificate is served", func() bool { return served(second) == 2 })
	if err := os.WriteFile(files.cert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	reload()
	eventually(t, "the metric tells of the bad file", func() bool { return metric("skein_tls_reload_failing") == "1" })
	if got := served(second); got != 2 {
		t.Errorf("after a bad file: serves serial %d, want 2", got)
	}
	if !strings.Contains(s.log.tail(0), "the new TLS certificate cannot be used") {
		t.Error("the log does not tell of the bad file")
	}
	if _, exit := examined(t, "--data", s.Data, "--tls-cert", files.cert, "--tls-key", files.key); exit != 1 {
		t.Errorf("skein doctor: exit %d, want 1: the file holds no certificate", exit)
	}
	files.issue(t, 3, time.Now().Add(24*time.Hour))
	if found, _ := examined(t, "--data", s.Data, "--tls-cert", files.cert, "--tls-key", files.key); found["certificate --tls-cert"] != "warn" {
		t.Errorf("skein doctor: got %v, want a warning about a certificate that ends within a day", found)
	}
	if _, err := tom.Ask("ping", nil, patience); err != nil {
		t.Errorf("the socket that was open all the while: %v", err)
	}
	if metric("skein_tls_certificate_expires_seconds") == "" {
		t.Error("no metric says when the certificate expires")
	}
	s.Stop(t)
}

// hostile is a client that speaks HTTP/2 frame by frame.
type hostile struct {
	conn    *tls.Conn
	framer  *http2.Framer
	headers bytes.Buffer
	encoder *hpack.Encoder
	next    uint32 // the next stream
}

func newHostile(t *testing.T, s *server, pool *x509.CertPool, settings ...http2.Setting) *hostile {
	t.Helper()
	conn, err := tls.Dial("tcp", s.Addr, &tls.Config{RootCAs: pool, ServerName: "im.example", NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	h := &hostile{conn: conn, framer: http2.NewFramer(conn, conn), next: 1}
	h.encoder = hpack.NewEncoder(&h.headers)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := h.framer.WriteSettings(settings...); err != nil {
		t.Fatal(err)
	}
	return h
}

// open begins a request on a new stream and returns it.
func (h *hostile) open(method, path string, end bool, more ...string) (stream uint32, err error) {
	h.headers.Reset()
	fields := append([]string{":method", method, ":scheme", "https", ":authority", "im.example", ":path", path, "app-id", "666666"}, more...)
	for i := 0; i < len(fields); i += 2 {
		_ = h.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	stream, h.next = h.next, h.next+2
	block, first := h.headers.Bytes(), true
	for first || len(block) > 0 {
		part := block[:min(len(block), 16<<10)]
		block = block[len(part):]
		if first {
			err = h.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: part, EndStream: end, EndHeaders: len(block) == 0})
		} else {
			err = h.framer.WriteContinuation(stream, len(block) == 0, part)
		}
		if first = false; err != nil {
			return stream, err
		}
	}
	return stream, nil
}

// until reads frames until one is as wanted; nil: the server ended the connection first.
func (h *hostile) until(want func(http2.Frame) bool) http2.Frame {
	for {
		f, err := h.framer.ReadFrame()
		if err != nil {
			return nil
		}
		if want(f) {
			return f
		}
	}
}

func isGoAway(f http2.Frame) bool { _, ok := f.(*http2.GoAwayFrame); return ok }

func TestHostileHTTP2ClientsHurtThemselvesAlone(t *testing.T) {
	t.Parallel()
	s, _, pool := overTLS(t)
	t.Run("more streams than allowed are refused one by one", func(t *testing.T) {
		h := newHostile(t, s, pool)
		for range 101 { // with bodies that never come
			if _, err := h.open("POST", "/im/users", false, "content-type", "application/json"); err != nil {
				t.Fatal(err)
			}
		}
		refused, ok := h.until(func(f http2.Frame) bool { _, is := f.(*http2.RSTStreamFrame); return is }).(*http2.RSTStreamFrame)
		if !ok || refused.StreamID != 201 || refused.ErrCode != http2.ErrCodeRefusedStream && refused.ErrCode != http2.ErrCodeProtocol {
			t.Errorf("stream 101: got %v, want it refused", refused)
		}
	})
	t.Run("headers beyond the bounds", func(t *testing.T) {
		status := func(bytes int) string {
			h := newHostile(t, s, pool)
			h.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
			if _, err := h.open("GET", "/im/users", true, "x-large", strings.Repeat("x", bytes)); err != nil {
				return fmt.Sprint(err)
			}
			f, _ := h.until(func(f http2.Frame) bool { _, is := f.(*http2.MetaHeadersFrame); return is || isGoAway(f) }).(*http2.MetaHeadersFrame)
			if f == nil {
				return "end"
			}
			return f.PseudoValue("status")
		}
		if got := status(10 << 10); got != "200" {
			t.Errorf("10 KiB: got %s, want 200", got)
		}
		if got := status(17 << 10); got != "431" {
			t.Errorf("17 KiB: got %s, want 431", got)
		}
		if got := status(1 << 20); got != "431" && got != "end" && !strings.Contains(got, "broken pipe") && !strings.Contains(got, "reset") {
			t.Errorf("1 MiB: got %s, want 431 or the end of the connection", got)
		}
	})
	t.Run("a client that takes no answer holds nobody else up", func(t *testing.T) {
		h := newHostile(t, s, pool, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		for range 50 {
			if _, err := h.open("GET", "/im/users", true); err != nil {
				t.Fatal(err)
			}
		}
		if res := ask(t, trusting(t, pool), "GET", "https://"+s.Addr+"/im/users", "im.example"); res.StatusCode != 200 {
			t.Errorf("another client: got %s", res.Status)
		}
	})
	if res := ask(t, trusting(t, pool), "GET", "https://"+s.Addr+"/im/users", "im.example"); res.StatusCode != 200 {
		t.Errorf("after all that: got %s", res.Status)
	}
}

package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// files are a certificate and its key in a folder.
type files struct{ cert, key string }

// issue makes a certificate with a key of its own, as PEM.
func issue(t *testing.T, serial int64, until time.Time) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"im.example"}, NotBefore: now.Add(-time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

func (f files) write(t *testing.T, cert, key []byte) {
	t.Helper()
	for name, content := range map[string][]byte{f.cert: cert, f.key: key} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNewFilesAreServedAndBadOnesAreNot(t *testing.T) {
	dir := t.TempDir()
	f := files{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	cert1, key1 := issue(t, 1, now.Add(time.Hour))
	cert2, key2 := issue(t, 2, now.Add(2*time.Hour))
	cert3, key3 := issue(t, 3, now.Add(-time.Minute))
	f.write(t, cert1, key1)
	var log bytes.Buffer
	registry := prometheus.NewRegistry()
	opened, err := Open(Options{
		Cert: f.cert, Key: f.key, Listener: "public", Now: func() time.Time { return now },
		Log: slog.New(slog.NewTextHandler(&log, nil)), Registerer: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name      string
		cert, key []byte
		serial    int64
		failing   float64
		log       string // of this step; empty: nothing
	}{
		{"as they were", cert1, key1, 1, 0, ""},
		{"the key of another certificate", cert2, key1, 1, 1, "cannot be used"},
		{"the same again", cert2, key1, 1, 1, ""},
		{"the pair is complete", cert2, key2, 2, 0, "serving a new TLS certificate"},
		{"no certificate", []byte("nonsense"), key2, 2, 1, "cannot be used"},
		{"back as it was", cert2, key2, 2, 0, "serving a new"},
		{"one that is over", cert3, key3, 2, 1, "has expired"},
		{"an empty file", nil, key2, 2, 1, "cannot be used"},
		{"the first again", cert1, key1, 1, 0, "serving a new"},
	} {
		log.Reset()
		f.write(t, step.cert, step.key)
		opened.Reload()
		got, err := opened.Config().GetCertificate(&tls.ClientHelloInfo{})
		if err != nil || got.Leaf.SerialNumber.Int64() != step.serial {
			t.Errorf("%s: serves %v, %v; want serial %d", step.name, got.Leaf.SerialNumber, err, step.serial)
		}
		if (step.log == "") != (log.Len() == 0) || !strings.Contains(log.String(), step.log) {
			t.Errorf("%s: logged %q, want %q", step.name, log.String(), step.log)
		}
		if strings.Contains(log.String(), "PRIVATE") {
			t.Errorf("%s: the log has the key", step.name)
		}
		metrics := gauges(t, registry)
		if metrics["skein_tls_reload_failing"] != step.failing || metrics["skein_tls_certificate_expires_seconds"] != float64(got.Leaf.NotAfter.Unix()) {
			t.Errorf("%s: metrics %v, want failing %v and the end of serial %d", step.name, metrics, step.failing, step.serial)
		}
	}
	log.Reset()
	if err := os.Remove(f.key); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		opened.Reload()
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("a missing file: logged %d times, want once:\n%s", n, &log)
	}
}

func gauges(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		values[family.GetName()] = family.GetMetric()[0].GetGauge().GetValue()
	}
	return values
}

func TestFilesThatCannotBeServedAreRefusedAtTheStart(t *testing.T) {
	dir := t.TempDir()
	f := files{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	cert, _ := issue(t, 1, now.Add(time.Hour))
	_, other := issue(t, 2, now.Add(time.Hour))
	open := func() error {
		_, err := Open(Options{Cert: f.cert, Key: f.key, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
		return err
	}
	if err := open(); err == nil || !strings.Contains(err.Error(), f.cert) {
		t.Errorf("no files: got %v, want an error that names %s", err, f.cert)
	}
	f.write(t, cert, other)
	if err := open(); err == nil || !strings.Contains(err.Error(), "private key does not match") || !strings.Contains(err.Error(), f.key) {
		t.Errorf("another key: got %v, want that it does not match %s", err, f.key)
	}
	if _, err := Load(f.cert, f.key); err == nil {
		t.Error("Load took the key of another certificate")
	}
}

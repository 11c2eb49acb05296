// Package certs holds the certificate of a listener that speaks TLS. It reads the certificate
// and its key from files, and reads them again when they change.
package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options are the files of one listener.
type Options struct {
	Cert     string // PEM file: the certificate, then those of its issuers
	Key      string // PEM file
	Listener string // name of the listener, in the log and as a label of the metrics

	Now        func() time.Time
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Files is a certificate that was read from files. Safe for concurrent use.
type Files struct {
	opts    Options
	current atomic.Pointer[tls.Certificate]
	failing atomic.Bool // the files do not hold a certificate that can be served

	mu        sync.Mutex // held while the files are read
	cert, key []byte     // what the files held when they were last tried; guarded by mu
	reported  string     // the error of the last try; guarded by mu
}

// Open reads the files. It accepts a certificate that has expired, and logs it: refusing to start
// would help nobody. Errors name the file, never the content of the key.
func Open(o Options) (*Files, error) {
	f := &Files{opts: o}
	cert, err := f.read()
	if err != nil {
		return nil, err
	}
	f.current.Store(cert)
	if f.over(cert) {
		o.Log.Error("the TLS certificate has expired: clients refuse it", f.attrs(cert.Leaf)...)
	}
	o.Registerer.MustRegister(
		f.gauge("skein_tls_certificate_expires_seconds", "When the TLS certificate that is served expires, in Unix seconds.",
			func() float64 { return float64(f.current.Load().Leaf.NotAfter.Unix()) }),
		f.gauge("skein_tls_reload_failing", "1 while the certificate files do not hold a certificate that can be served, so that an older one is.",
			func() float64 {
				if f.failing.Load() {
					return 1
				}
				return 0
			}))
	return f, nil
}

func (f *Files) gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: name, Help: help, ConstLabels: prometheus.Labels{"listener": f.opts.Listener},
	}, value)
}

// Config is the configuration of a listener with this certificate: TLS 1.2 or newer, with the
// ciphers that Go chooses.
func (f *Files) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current.Load(), nil },
	}
}

// pollEvery is how often Follow looks at the files. Files on a network or in a container tell
// nobody when they change, so it reads them.
const pollEvery = 10 * time.Second

// Follow reads the files again when they have changed, and whenever now says so, until ctx ends.
func (f *Files) Follow(ctx context.Context, now <-chan os.Signal) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-now:
		}
		f.Reload()
	}
}

// Reload reads the files again if they have changed. New connections get the new certificate;
// open ones keep theirs. If the files do not hold a certificate that can be served, such as while
// only one of them was replaced, it logs that once and the old certificate stays.
func (f *Files) Reload() {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.current.Load()
	cert, err := f.read()
	if errors.Is(err, errUnchanged) {
		return
	}
	if err == nil && f.over(cert) && !f.over(before) {
		err = fmt.Errorf("%s: the certificate has expired", f.opts.Cert)
	}
	f.failing.Store(err != nil)
	if err == nil {
		f.current.Store(cert)
		f.reported = ""
		f.opts.Log.Info("serving a new TLS certificate", f.attrs(cert.Leaf)...)
		return
	}
	if f.reported != err.Error() {
		f.reported = err.Error()
		f.opts.Log.Warn("the new TLS certificate cannot be used: the old one stays", append(f.attrs(before.Leaf), slog.Any("error", err))...)
	}
}

var errUnchanged = errors.New("the files are as they were")

// read reads the files. Errors: errUnchanged if they hold what they held the last time. mu is held,
// except by Open.
func (f *Files) read() (*tls.Certificate, error) {
	cert, key, err := readBoth(f.opts.Cert, f.opts.Key)
	if err != nil {
		f.cert, f.key = nil, nil // so that the same content counts as new when it is back
		return nil, err
	}
	if f.cert != nil && bytes.Equal(f.cert, cert) && bytes.Equal(f.key, key) {
		return nil, errUnchanged
	}
	f.cert, f.key = cert, key
	return pair(f.opts.Cert, f.opts.Key, cert, key)
}

func readBoth(certFile, keyFile string) (cert, key []byte, err error) {
	if cert, err = os.ReadFile(certFile); err != nil { //nolint:gosec // the operator says which file
		return nil, nil, err
	}
	key, err = os.ReadFile(keyFile) //nolint:gosec // as above
	return cert, key, err
}

func pair(certFile, keyFile string, cert, key []byte) (*tls.Certificate, error) {
	c, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", certFile, keyFile, err)
	}
	return &c, nil
}

// Load reads a certificate, and checks that the key belongs to it.
func Load(certFile, keyFile string) (*x509.Certificate, error) {
	cert, key, err := readBoth(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	c, err := pair(certFile, keyFile, cert, key)
	if err != nil {
		return nil, err
	}
	return c.Leaf, nil
}

func (f *Files) over(c *tls.Certificate) bool { return !f.opts.Now().Before(c.Leaf.NotAfter) }

func (f *Files) attrs(leaf *x509.Certificate) []any {
	return []any{
		slog.String("listener", f.opts.Listener), slog.Any("names", leaf.DNSNames),
		slog.Time("expires", leaf.NotAfter), slog.String("serial", leaf.SerialNumber.Text(16)),
	}
}

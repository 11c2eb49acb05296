package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/config"
)

// readyCmd is `skein ready`: /readyz for images that have no curl.
type readyCmd struct {
	config.Store

	Addr    string `group:"settings" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of the server, as --addr of skein serve has it."`
	TLSCert string `group:"settings" name:"tls-cert" placeholder:"FILE" help:"Certificate of the server, as skein serve has it. If set, ask by https://."`
}

// readyWait is longer than the server takes for its answer.
const readyWait = 3 * time.Second

// Run asks the server on this machine. Error: it does not serve.
func (c *readyCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	scheme := "http://"
	if c.TLSCert != "" {
		scheme = "https://"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+dialable(c.Addr)+"/readyz", http.NoBody)
	if err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	// The certificate is for the name that clients use; nothing secret is asked of this machine.
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // as above
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer res.Body.Close() //nolint:errcheck // it is only read
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 200))
		return fmt.Errorf("not ready: %s: %s", res.Status, strings.TrimSpace(string(text)))
	}
	return nil
}

// dialable is where a listener on this machine can be reached: one on all addresses by loopback.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip, parseErr := netip.ParseAddr(host); err == nil && (host == "" || parseErr == nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return listen
}

// Package dial makes the HTTP client for addresses that an app gave, such as the URL of a
// webhook. Whoever may set such an address must not reach through it what only the server
// reaches: programs on the same machine, private networks, the metadata of a cloud.
//
// The client looks a name up once and connects to an address of that answer, so a name cannot
// mean a public address when it is checked and a private one when it is dialled. It follows no
// redirects, ignores the proxy settings of the environment, and bounds time and answer.
package dial

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// ErrRefused is about a target that no call may reach. Its text names no address that a name
// was looked up as: that may be a secret of the installation.
var ErrRefused = errors.New("target refused")

// ErrTooLarge is about an answer whose body is longer than Options.Answer.
var ErrTooLarge = errors.New("answer too large")

// Options configure a client.
type Options struct {
	Allow   []netip.Prefix // networks that may be reached although they are not public
	Timeout time.Duration  // of a call, from the lookup to the end of the body; default 5 s
	Answer  int64          // most bytes of a body; reading more fails with ErrTooLarge; default 64 KiB
	// ConnsPerHost bounds the connections to one host and port; zero: no bound.
	ConnsPerHost int
	IdlePerHost  int // connections to one host and port that are kept for later calls; default ConnsPerHost

	// Resolve looks a name up, and Connect connects to an address and port. nil: as the system does.
	Resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	Connect func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Bounds of a call.
const (
	defaultTimeout = 5 * time.Second
	defaultAnswer  = 64 << 10
	maxHeader      = 16 << 10         // bytes of an answer's header
	maxAddresses   = 4                // of one name, tried in order
	keepIdle       = 30 * time.Second // connections
)

// New makes a client. A call that its target forbids fails with ErrRefused before a packet is
// sent to it. A redirect is returned as the answer. Safe for concurrent use.
func New(o Options) *http.Client {
	o = o.withDefaults()
	return &http.Client{
		Timeout:       o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: bounded{o, &http.Transport{
			DialContext:            o.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    o.Timeout,
			ResponseHeaderTimeout:  o.Timeout,
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConnsPerHost:    cmp.Or(o.IdlePerHost, o.ConnsPerHost),
			MaxConnsPerHost:        o.ConnsPerHost,
			MaxIdleConns:           1000,
			IdleConnTimeout:        keepIdle,
			DisableCompression:     true, // so that Answer bounds what is read from the network too
		}},
	}
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Answer == 0 {
		o.Answer = defaultAnswer
	}
	if o.Resolve == nil {
		o.Resolve = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		}
	}
	if o.Connect == nil {
		o.Connect = (&net.Dialer{Timeout: o.Timeout / 2}).DialContext
	}
	return o
}

// dial connects to a host, given as name or address and port.
func (o Options) dial(ctx context.Context, network, hostport string) (conn net.Conn, err error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, fmt.Errorf("%w: %q is not a host and a port", ErrRefused, hostport)
	}
	addresses, err := o.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, a := range addresses[:min(len(addresses), maxAddresses)] {
		if conn, err = o.Connect(ctx, network, net.JoinHostPort(a.String(), port)); err == nil || ctx.Err() != nil {
			break
		}
	}
	return conn, err
}

// addresses are those of a host. If one of them is forbidden, the host is: who mixes public
// and private addresses under one name means no good, or made a mistake.
func (o Options) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		if !o.allows(a) {
			return nil, fmt.Errorf("%w: %s is not a public address", ErrRefused, host)
		}
		return []netip.Addr{a.Unmap()}, nil
	}
	if err := checkName(host); err != nil {
		return nil, err
	}
	all, err := o.Resolve(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("look up %q: %w", host, lookupError(err))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("look up %q: no address", host)
	}
	for i, a := range all {
		if !o.allows(a) {
			return nil, fmt.Errorf("%w: %q has an address that is not public", ErrRefused, host)
		}
		all[i] = a.Unmap()
	}
	return all, nil
}

// lookupError is the reason of a failed lookup, without the address of the name server.
func lookupError(err error) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New(dns.Err)
	}
	return err
}

// bounded checks the URL of each request and bounds the body of the answer.
type bounded struct {
	opts Options
	next *http.Transport
}

// RoundTrip makes the call.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := b.opts.check(r.URL); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // http.RoundTripper: the body is always closed
		}
		return nil, err
	}
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &body{answer.Body, b.opts.Answer}
	return answer, nil
}

// CloseIdleConnections is called by http.Client.
func (b bounded) CloseIdleConnections() { b.next.CloseIdleConnections() }

// body is the body of an answer that may have left more bytes.
type body struct {
	io.ReadCloser

	left int64
}

// Read reads what may be read.
func (b *body) Read(p []byte) (n int, err error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err = b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), ErrTooLarge
	}
	b.left -= int64(n)
	return n, err
}

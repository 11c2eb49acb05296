// Package balancer spreads HTTP calls and WebSockets over nodes. It is a tool for development: it
// has no TLS, no limits and no configuration. docs/operations.md says what to use in production.
package balancer

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"time"
)

// Balancer gives each call to the ready node with the fewest calls and sockets under way. If the
// connection fails, a call that was not sent yet goes to another node, and so does one that only
// reads, such as the handshake of a socket. Another call that was sent is not sent again, because
// the node may have done it. Safe for concurrent use.
type Balancer struct {
	nodes []*node
	proxy httputil.ReverseProxy
	probe http.Client
	http  *http.Transport
	log   *slog.Logger
}

// node is one of the servers behind the balancer.
type node struct {
	addr  string
	ready atomic.Bool
	open  atomic.Int64 // calls and sockets under way
}

const (
	probeEvery = 200 * time.Millisecond
	probeWait  = time.Second
	dialWait   = time.Second
)

// New makes a balancer over the nodes at these addresses (host:port). It asks no node anything
// before Watch runs; until then none is ready.
func New(addrs []string, log *slog.Logger) *Balancer {
	b := &Balancer{
		log:  log,
		http: &http.Transport{DialContext: (&net.Dialer{Timeout: dialWait}).DialContext, MaxIdleConnsPerHost: 256, DisableCompression: true},
		probe: http.Client{
			Timeout:   probeWait,
			Transport: &http.Transport{DisableKeepAlives: true},
		},
	}
	for _, addr := range addrs {
		b.nodes = append(b.nodes, &node{addr: addr})
	}
	b.proxy = httputil.ReverseProxy{Rewrite: rewrite, Transport: sender{b}, ErrorHandler: b.failed, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	return b
}

// rewrite passes on the host and the forwarding headers as the caller sent them. The demo of --dev
// refuses callers on other machines by them.
func rewrite(r *httputil.ProxyRequest) {
	r.Out.Host = r.In.Host
	r.Out.URL.Scheme = "http"
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, ok := r.In.Header[name]; ok {
			r.Out.Header[name] = values
		}
	}
}

// Watch asks every node a few times a second whether it is ready, until ctx ends.
func (b *Balancer) Watch(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	for _, n := range b.nodes {
		asking.Go(func() {
			ticks := time.NewTicker(probeEvery)
			defer ticks.Stop()
			for {
				n.ready.Store(b.isReady(ctx, n))
				select {
				case <-ctx.Done():
					return
				case <-ticks.C:
				}
			}
		})
	}
}

func (b *Balancer) isReady(ctx context.Context, n *node) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.addr+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	res, err := b.probe.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// Ready is how many nodes are ready.
func (b *Balancer) Ready() (n int) {
	for _, node := range b.nodes {
		if node.ready.Load() {
			n++
		}
	}
	return n
}

// call is one call under way. ReverseProxy makes a new request of it, so it travels in the context.
type call struct{ node *node }

type callKey struct{}

// ServeHTTP sends a call to a node and its answer back. For a socket it returns when the socket is
// closed.
func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := new(call)
	defer func() {
		if c.node != nil {
			c.node.open.Add(-1)
		}
	}()
	b.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
}

var errNoNode = errors.New("no node is ready")

func (b *Balancer) failed(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadGateway
	if errors.Is(err, errNoNode) {
		status = http.StatusServiceUnavailable
	}
	b.log.Warn("balancer: call failed", slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Any("error", err))
	w.Header().Set("Retry-After", "1")
	http.Error(w, "balancer: "+http.StatusText(status), status)
}

// choose takes the ready node with the fewest calls, of those not in tried, and counts the call
// there. Nil: there is none.
func (b *Balancer) choose(tried map[*node]bool) (best *node) {
	for _, n := range b.nodes {
		if n.ready.Load() && !tried[n] && (best == nil || n.open.Load() < best.open.Load()) {
			best = n
		}
	}
	if best != nil {
		best.open.Add(1)
	}
	return best
}

// sender is the transport of the proxy.
type sender struct{ *Balancer }

// RoundTrip sends a request to one node after the other, until one answers or may have done it.
func (s sender) RoundTrip(r *http.Request) (*http.Response, error) {
	c, _ := r.Context().Value(callKey{}).(*call)
	tried := map[*node]bool{}
	for {
		if c.node = s.choose(tried); c.node == nil {
			return nil, errNoNode
		}
		res, err := s.http.RoundTrip(requestTo(r, c.node.addr))
		if err == nil || r.Context().Err() != nil || !harmless(r, err) {
			return res, err
		}
		c.node.ready.Store(false)
		c.node.open.Add(-1)
		tried[c.node], c.node = true, nil
	}
}

// requestTo is r to one node. The transport closes the body of a request that it could not send,
// and the next node needs it; the proxy closes it in the end.
func requestTo(r *http.Request, addr string) *http.Request {
	out, target := *r, *r.URL
	target.Host = addr
	out.URL = &target
	if r.Body != nil {
		out.Body = keptOpen{r}
	}
	return &out
}

type keptOpen struct{ r *http.Request }

func (k keptOpen) Read(p []byte) (int, error) { return k.r.Body.Read(p) }
func (keptOpen) Close() error                 { return nil }

// harmless reports whether a request that failed can be sent again: nothing of it was sent, or it
// only reads.
func harmless(r *http.Request, err error) bool {
	var op *net.OpError
	dialled := errors.As(err, &op) && op.Op == "dial"
	return dialled || r.Body == nil && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

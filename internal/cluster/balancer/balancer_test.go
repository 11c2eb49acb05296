package balancer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// backend is a node: it answers with its name and what it was sent.
type backend struct {
	*httptest.Server

	drains atomic.Bool
	calls  atomic.Int64
}

func newBackend(t *testing.T, name string, serve http.HandlerFunc) *backend {
	t.Helper()
	b := new(backend)
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/readyz":
			b.calls.Add(1)
		case b.drains.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		default:
			return
		}
		if serve != nil {
			serve(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", name, r.Host, r.Header.Get("X-Forwarded-For"), body)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *backend) addr() string { return b.Listener.Addr().String() }

// balance is a balancer over these nodes. watched: it knows which of them are ready, and hears of
// changes; else it takes all for ready.
func balance(t *testing.T, watched bool, addrs ...string) (*Balancer, *httptest.Server) {
	t.Helper()
	b := New(addrs, slog.New(slog.DiscardHandler))
	if watched {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); b.Watch(ctx) }()
		t.Cleanup(func() { stop(); <-done })
	} else {
		for _, n := range b.nodes {
			n.ready.Store(true)
		}
	}
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	return b, front
}

// post is the status and the text of an answer.
func post(t *testing.T, front *httptest.Server, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, front.URL+"/x", io.NopCloser(strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", "192.0.2.1")
	req.Host = "skein.test"
	res, err := front.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// dead is an address where nobody listens: no system gives out port 1.
const dead = "127.0.0.1:1"

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in a minute: %s", what)
		}
	}
}

func TestACallThatCouldNotBeSentGoesToAnotherNodeWithItsBody(t *testing.T) {
	live := newBackend(t, "live", nil)
	b, front := balance(t, false, dead, live.addr())
	if status, text := post(t, front, "the body"); status != http.StatusOK || text != "live skein.test 192.0.2.1 the body" {
		t.Errorf("got %d %q, want the host, the address and the body as they were sent", status, text)
	}
	if b.Ready() != 1 {
		t.Errorf("got %d ready nodes, want 1: nobody could connect to the other", b.Ready())
	}
}

func TestACallThatWasSentIsNotSentAgainUnlessItReads(t *testing.T) {
	dies := newBackend(t, "dies", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	other := newBackend(t, "other", nil)
	_, front := balance(t, false, dies.addr(), other.addr())
	if status, _ := post(t, front, "once"); status != http.StatusBadGateway || dies.calls.Load() != 1 || other.calls.Load() != 0 {
		t.Errorf("a POST: got status %d, %d and %d calls; want 502, 1 and 0", status, dies.calls.Load(), other.calls.Load())
	}
	res, err := front.Client().Get(front.URL + "/x")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || other.calls.Load() != 1 {
		t.Errorf("a GET: got status %d, %d calls of the other node; want 200 and 1", res.StatusCode, other.calls.Load())
	}
}

func TestANodeThatDrainsGetsNoNewCalls(t *testing.T) {
	drains, stays := newBackend(t, "drains", nil), newBackend(t, "stays", nil)
	b, front := balance(t, true, drains.addr(), stays.addr())
	until(t, "both are ready", func() bool { return b.Ready() == 2 })
	drains.drains.Store(true)
	until(t, "the other alone is ready", func() bool { return !b.nodes[0].ready.Load() && b.nodes[1].ready.Load() })
	before := drains.calls.Load()
	for range 5 {
		until(t, "a call is answered", func() bool { // a busy machine may take a probe for one that failed
			status, _ := post(t, front, "")
			return status == http.StatusOK
		})
	}
	if got := drains.calls.Load() - before; got != 0 || stays.calls.Load() != 5 {
		t.Errorf("got %d calls at the node that drains and %d at the other, want 0 and 5", got, stays.calls.Load())
	}
	stays.drains.Store(true)
	until(t, "none is ready", func() bool { return b.Ready() == 0 })
	if status, _ := post(t, front, ""); status != http.StatusServiceUnavailable {
		t.Errorf("without a ready node: got %d, want 503", status)
	}
	drains.drains.Store(false)
	until(t, "one is ready again", func() bool { return b.Ready() == 1 })
}

// A socket counts as long as it is open, so the next one goes to the other node.
func TestSocketsPassAndAreSpread(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: %s\r\nConnection: Upgrade\r\n\r\n", r.Header.Get("Upgrade"))
		_, _ = io.Copy(conn, buffered)
	}
	one, two := newBackend(t, "one", echo), newBackend(t, "two", echo)
	b, front := balance(t, false, one.addr(), two.addr())
	var sockets []net.Conn
	for range 4 {
		conn, err := net.Dial("tcp", front.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		sockets = append(sockets, conn)
		fmt.Fprint(conn, "GET /im/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		in := bufio.NewReader(conn)
		if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("got %v, %v; want 101", res, err)
		}
		fmt.Fprintln(conn, "hello")
		if line, err := in.ReadString('\n'); line != "hello\n" {
			t.Fatalf("got %q, %v; want the line back", line, err)
		}
	}
	if one.calls.Load() != 2 || two.calls.Load() != 2 {
		t.Errorf("got %d and %d sockets, want 2 and 2", one.calls.Load(), two.calls.Load())
	}
	for _, conn := range sockets {
		_ = conn.Close()
	}
	until(t, "closed sockets no longer count", func() bool { return b.nodes[0].open.Load()+b.nodes[1].open.Load() == 0 })
}

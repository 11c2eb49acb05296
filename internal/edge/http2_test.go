package edge

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// serveTLS is a server with TLS and HTTP/2 behind a guard. A call of /wait runs until release.
func serveTLS(t *testing.T, o Options) (guard *Guard, srv *httptest.Server, release chan struct{}) {
	t.Helper()
	o.Address, o.Log = func(net.Conn) string { return "a" }, slog.New(slog.DiscardHandler)
	if o.Now == nil {
		o.Now = time.Now
	}
	guard, release = New(o), make(chan struct{})
	calls := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/wait" {
			<-release
		}
		_, _ = io.WriteString(w, r.Proto)
	})
	refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	srv = httptest.NewUnstartedServer(guard.Requests(calls, refuse, func(*http.Request) string { return "a" }))
	srv.Listener, srv.EnableHTTP2, srv.Config.ConnState = guard.Listen(srv.Listener), true, guard.State
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return guard, srv, release
}

// client has one connection of its own.
func client(t *testing.T, srv *httptest.Server) *http.Client {
	t.Helper()
	transport := srv.Client().Transport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// get is the status of a call whose answer has begun; the caller closes its body.
func get(t *testing.T, c *http.Client, url string) (*http.Response, int) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		t.Logf("GET %s: %v", url, err)
		return nil, 0
	}
	return res, res.StatusCode
}

// waitIdle waits until n connections wait for a request.
func waitIdle(t *testing.T, g *Guard, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		g.mu.Lock()
		idle := g.waiting.Len()
		g.mu.Unlock()
		if idle == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d connections wait, want %d", idle, n)
		}
	}
}

func TestAnIdleHTTP2ConnectionGivesWayAndABusyOneDoesNot(t *testing.T) {
	guard, srv, release := serveTLS(t, Options{Max: 2})
	busy, idle, newcomer := client(t, srv), client(t, srv), client(t, srv)
	running, status := get(t, busy, srv.URL+"/wait")
	if status != 200 || running.Proto != "HTTP/2.0" {
		t.Fatalf("got %v, want HTTP/2", running)
	}
	defer running.Body.Close()
	first, status := get(t, idle, srv.URL+"/")
	if status != 200 {
		t.Fatalf("got %d", status)
	}
	_, _ = io.Copy(io.Discard, first.Body)
	_ = first.Body.Close()
	waitIdle(t, guard, 1)
	second, status := get(t, newcomer, srv.URL+"/wait")
	if status != 200 {
		t.Fatalf("a newcomer beside an idle connection: got %d, want 200", status)
	}
	defer second.Body.Close()
	if n := guard.size(); n != 2 {
		t.Errorf("%d connections are open, want 2: the idle one gave way", n)
	}
	if _, status := get(t, client(t, srv), srv.URL+"/"); status != 0 {
		t.Errorf("beside busy connections alone: got %d, want a closed connection", status)
	}
	close(release)
	for _, res := range []*http.Response{running, second} {
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "HTTP/2.0" {
			t.Errorf("a call under way was cut: got %q, %v", body, err)
		}
	}
}

func TestAnAddressHasAsManyHTTP2RequestsAsConnections(t *testing.T) {
	const most = 4
	guard, srv, release := serveTLS(t, Options{MaxPerAddress: most})
	c := client(t, srv)
	first, _ := get(t, c, srv.URL+"/") // so that all calls share its connection
	_, _ = io.Copy(io.Discard, first.Body)
	_ = first.Body.Close()
	var mu sync.Mutex
	var all sync.WaitGroup
	got, ended := map[int]int{}, 0
	for range 3 * most {
		all.Go(func() {
			res, status := get(t, c, srv.URL+"/wait")
			mu.Lock()
			got[status]++
			if ended++; ended == 3*most {
				close(release)
			}
			mu.Unlock()
			if res != nil {
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
		})
	}
	all.Wait()
	if got[http.StatusOK] != most || got[http.StatusTooManyRequests] != 2*most {
		t.Errorf("of %d calls at once: got %v, want %d answered 200 and the others 429", 3*most, got, most)
	}
	for end := time.Now().Add(time.Minute); guard.streams.Taken() != 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // the handlers end behind their answers
	}
	if n := guard.streams.Taken(); n != 0 {
		t.Errorf("%d requests still count", n)
	}
}

func TestAnAddressThatOpensConnectionsTooFastIsRefused(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	s := serve(t, func(o *Options) { o.NewPerSecond, o.Now = 1, func() time.Time { return at } })
	for i := range 20 {
		if got := s.ask(dial(t, s.addr), "/"); got != 200 {
			t.Fatalf("connection %d of a burst of 20: got %d", i+1, got)
		}
	}
	if got := s.ask(dial(t, s.addr), "/"); got != 0 {
		t.Errorf("one more: got %d, want a closed connection", got)
	}
}

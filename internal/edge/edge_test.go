package edge

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// guarded is a server behind a guard.
type guarded struct {
	guard   *Guard
	addr    string
	release chan struct{} // a call of /wait ends when it is closed
	log     *strings.Builder
}

func serve(t *testing.T, change func(*Options)) guarded {
	t.Helper()
	log, release := &strings.Builder{}, make(chan struct{})
	o := Options{Address: func(net.Conn) string { return "a" }, Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil))}
	change(&o)
	g := New(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ConnState: g.State, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			_, _ = io.WriteString(w, "waiting\n")
			_ = http.NewResponseController(w).Flush()
			<-release
		}
	})}
	ended := make(chan error)
	go func() { ended <- s.Serve(g.Listen(l)) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
		for end := time.Now().Add(time.Minute); g.size() > 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond) // their goroutines end behind Close
		}
		if n := g.size(); n != 0 || len(g.byAddr) != 0 || g.waiting.Len() != 0 {
			t.Errorf("after all: %d connections of %d addresses, %d of them waiting", n, len(g.byAddr), g.waiting.Len())
		}
	})
	return guarded{g, l.Addr().String(), release, log}
}

// dial opens a connection.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute)) // a test that hangs says where
	return c
}

// ask makes a call on a connection and answers its status once the connection waits for
// the next one; zero: the connection is over.
func (s guarded) ask(c net.Conn, path string) int {
	status := call(c, path)
	for end := time.Now().Add(time.Minute); status != 0 && path != "/wait" && !s.waits(c) && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // the server notes it behind the answer
	}
	return status
}

// waits reports whether the connection waits for a request.
func (s guarded) waits(c net.Conn) bool {
	s.guard.mu.Lock()
	defer s.guard.mu.Unlock()
	for conn, one := range s.guard.open {
		if conn.RemoteAddr().String() == c.LocalAddr().String() {
			return one.place != nil
		}
	}
	return false
}

func call(c net.Conn, path string) int {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		return 0
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	return res.StatusCode
}

func TestTheConnectionThatHasWaitedLongestGivesWay(t *testing.T) {
	s := serve(t, func(o *Options) { o.Max = 4 })
	var old []net.Conn
	for range 4 {
		c := dial(t, s.addr)
		if got := s.ask(c, "/"); got != 200 {
			t.Fatalf("got %d", got)
		}
		old = append(old, c)
	}
	if got := s.ask(old[0], "/"); got != 200 { // so the second has waited longest now
		t.Fatalf("got %d", got)
	}
	newcomer := dial(t, s.addr)
	if got := s.ask(newcomer, "/"); got != 200 {
		t.Errorf("a newcomer: got %d, want 200", got)
	}
	for i, want := range []int{200, 0, 200, 200} {
		if got := s.ask(old[i], "/"); got != want {
			t.Errorf("connection %d: got %d, want %d", i, got, want)
		}
	}
	if !strings.Contains(s.log.String(), "level=WARN") {
		t.Errorf("the operator is not told: %q", s.log)
	}
}

func TestConnectionsThatNeverAskGiveWayToo(t *testing.T) {
	for name, opening := range map[string]string{"silent": "", "dripping headers": "GET / HTTP/1.1\r\nX: "} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(o *Options) { o.Max = 4 })
			for range 50 {
				if _, err := io.WriteString(dial(t, s.addr), opening); err != nil {
					t.Fatal(err)
				}
			}
			if got := s.ask(dial(t, s.addr), "/"); got != 200 {
				t.Errorf("a newcomer: got %d, want 200", got)
			}
		})
	}
}

func TestACallUnderWayNeverGivesWay(t *testing.T) {
	s := serve(t, func(o *Options) { o.Max = 2 })
	var busy []net.Conn
	for range 2 {
		c := dial(t, s.addr)
		if got := s.ask(c, "/wait"); got != 200 {
			t.Fatalf("got %d", got)
		}
		busy = append(busy, c)
	}
	if got := s.ask(dial(t, s.addr), "/"); got != 0 {
		t.Errorf("beside nothing but calls under way: got %d, want a closed connection", got)
	}
	close(s.release)
	for _, c := range busy {
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Errorf("a call under way was cut: %v", err)
		}
	}
}

func TestAnAddressClosesConnectionsOfItsOwnAlone(t *testing.T) {
	var of atomic.Value
	of.Store("a")
	s := serve(t, func(o *Options) {
		o.MaxPerAddress = 2
		o.Address = func(net.Conn) string { return of.Load().(string) }
	})
	other := dial(t, s.addr)
	if got := s.ask(other, "/"); got != 200 {
		t.Fatalf("got %d", got)
	}
	of.Store("b")
	var conns []net.Conn
	for range 3 {
		c := dial(t, s.addr)
		if got := s.ask(c, "/"); got != 200 {
			t.Fatalf("got %d", got)
		}
		conns = append(conns, c)
	}
	for i, want := range []int{0, 200, 200} {
		if got := s.ask(conns[i], "/"); got != want {
			t.Errorf("connection %d of b: got %d, want %d", i, got, want)
		}
	}
	if got := s.ask(other, "/"); got != 200 {
		t.Errorf("a's connection: got %d, want 200", got)
	}
}

func TestSocketsCountToo(t *testing.T) {
	var sockets atomic.Int64
	s := serve(t, func(o *Options) {
		o.Max = 3
		o.Others = func() int { return int(sockets.Load()) }
	})
	first := dial(t, s.addr)
	if got := s.ask(first, "/"); got != 200 {
		t.Fatalf("got %d", got)
	}
	sockets.Store(2)
	if got := s.ask(dial(t, s.addr), "/"); got != 200 {
		t.Errorf("got %d, want 200", got)
	}
	if got := s.ask(first, "/"); got != 0 {
		t.Errorf("the oldest: got %d, want it closed", got)
	}
}

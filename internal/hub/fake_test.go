package hub

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/skein-im/skein"
)

// fakeConn remembers what it was asked to write. With a gate each write waits for
// one receive from it, or for the conn to be cut.
type fakeConn struct {
	gate    chan struct{}
	goodbye chan struct{} // Close waits for its end, unless it cuts; may be nil
	busy    bool          // it does not say that it waits, as if it were at work
	started chan struct{} // told when a write begins; may be nil
	cut     chan struct{}
	cutOnce sync.Once

	mu     sync.Mutex
	writes [][]string
	pings  int
	code   int
	reason string
	fails  bool
}

func newConn() *fakeConn { return &fakeConn{cut: make(chan struct{})} }

// newSlowConn is a conn whose writes end when pass is called for them.
func newSlowConn() *fakeConn {
	c := newConn()
	c.gate = make(chan struct{})
	c.started = make(chan struct{}, 100)
	return c
}

func (c *fakeConn) pass() { c.gate <- struct{}{} }

func (c *fakeConn) WriteFrames(frames [][]byte, waits func()) error {
	if c.gate != nil {
		if !c.busy {
			tell(waits)
		}
		c.started <- struct{}{}
		select {
		case <-c.gate:
		case <-c.cut:
			return errors.New("cut")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fails {
		return errors.New("broken")
	}
	var write []string
	for _, f := range frames {
		write = append(write, string(f))
	}
	c.writes = append(c.writes, write)
	return nil
}

func (c *fakeConn) Ping(func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pings++
	return nil
}

func (c *fakeConn) Close(code int, reason string) {
	if code == CloseAbnormal {
		c.cutOnce.Do(func() { close(c.cut) })
	} else if c.goodbye != nil {
		<-c.goodbye
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code == 0 {
		c.code, c.reason = code, reason
	}
}

// wrote is the writes so far: frames joined by "+", writes by a space.
func (c *fakeConn) wrote() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, w := range c.writes {
		all = append(all, strings.Join(w, "+"))
	}
	return strings.Join(all, " ")
}

func (c *fakeConn) frames() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.writes {
		n += len(w)
	}
	return n
}

func (c *fakeConn) pinged() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pings
}

// ended is the code and reason of the close; "open" before it.
func (c *fakeConn) ended() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code == 0 {
		return "open"
	}
	return fmt.Sprint(c.code, " ", c.reason)
}

func kickFrame(reason string) []byte { return []byte("kick:" + reason) }

// sessionID is a made-up id.
func sessionID(n int) string { return fmt.Sprintf("%032x", n) }

// attach logs in Tom of the app shop and answers the login.
func attach(t testing.TB, h *Hub, device string, generation int, conn Conn) *Session {
	t.Helper()
	return attachLogin(t, h, Login{App: "shop", Client: "Tom", Device: device, ID: sessionID(generation), Conn: conn})
}

func attachLogin(t testing.TB, h *Hub, l Login) *Session {
	t.Helper()
	s, err := h.Attach(l)
	if err != nil {
		t.Fatalf("attach %+v: %v", l, err)
	}
	s.Enter(1, false, skein.Snapshot{})
	s.Answer([]byte("hello"))
	return s
}

func check[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

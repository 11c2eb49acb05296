package socket

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/node"
	table "github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sessions"
	"github.com/skein-im/skein/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeGate accepts the token "good" for every app.
type fakeGate struct {
	settings skein.Settings
	expires  skein.Millis
	banned   bool
	actions  []string     // of the token
	during   func()       // called while the login is being checked
	after    func()       // called after the login was accepted
	rev      atomic.Int64 // of every client

	mu   sync.Mutex
	apps map[string]*skein.App // shared by the sessions of an app, as the real ones are
}

func (g *fakeGate) Login(_ context.Context, in access.Login) (skein.Actor, error) {
	if g.during != nil {
		g.during()
	}
	if in.Token != "good" {
		return skein.Actor{}, skein.ErrUnauthenticated
	}
	if g.banned {
		return skein.Actor{}, skein.ErrBanned
	}
	actor := skein.Actor{App: g.app(in.App), Client: in.Client, Expires: g.expires, Actions: g.actions, Rev: g.rev.Load()}
	if g.after != nil {
		g.after()
	}
	return actor, nil
}

func (g *fakeGate) Current(_ context.Context, by skein.Actor) (bool, error) {
	return by.Rev == g.rev.Load(), nil
}

func (*fakeGate) AllowsOrigin(_ context.Context, _, origin string) bool {
	return origin == "https://shop.com"
}

func (g *fakeGate) app(id string) *skein.App {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.apps[id] == nil {
		g.apps = map[string]*skein.App{id: {ID: id, Settings: g.settings}}
	}
	return g.apps[id]
}

// fakeRegistrar knows everybody but "Nobody".
type fakeRegistrar struct{}

func (fakeRegistrar) Register(_ context.Context, by skein.Actor, _ []byte, _ string) error {
	if by.Client == "Nobody" {
		return skein.ErrUnknownClient
	}
	return nil
}

// fakeOps is a table of functions; "echo" answers its data.
type fakeOps map[string]func(ctx context.Context, by skein.Actor, data []byte) ([]byte, error)

func (ops fakeOps) Call(ctx context.Context, by skein.Actor, name string, data []byte) ([]byte, error) {
	if name == "echo" {
		return data, nil
	}
	op, ok := ops[name]
	if !ok {
		return nil, skein.Malformed("type", "is unknown")
	}
	return op(ctx, by, data)
}

// Batches are the ops whose names say so.
func (fakeOps) Batches(name string) bool { return strings.HasPrefix(name, "batch.") }

// CallAll gives a batching op all of its data at once, as a JSON list. It answers a
// list, in which null is refused.
func (ops fakeOps) CallAll(ctx context.Context, by skein.Actor, name string, data [][]byte) []table.Outcome {
	outcomes := make([]table.Outcome, len(data))
	answer, err := ops.Call(ctx, by, name, []byte("["+string(bytes.Join(data, []byte(",")))+"]"))
	var answers []json.RawMessage
	if err == nil {
		err = json.Unmarshal(answer, &answers)
	}
	for i := range outcomes {
		switch {
		case err != nil:
			outcomes[i].Err = err
		case string(answers[i]) == "null":
			outcomes[i].Err = skein.ErrForbidden
		default:
			outcomes[i].Answer = answers[i]
		}
	}
	return outcomes
}

// clock is the server's, moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// sessionStore is the sessions of one process, and no cuts.
type sessionStore struct{ *sessions.Table }

func newSessions() sessionStore {
	return sessionStore{sessions.New(func(context.Context) (int64, error) { return 1, nil }, func() int64 { return 0 }, time.Now)}
}

func (sessionStore) CutsSince(context.Context, store.Watermark, int) ([]skein.Cut, store.Watermark, error) {
	return nil, 0, nil
}

// nobody is told who is online.
type nobody struct{}

func (nobody) Came(string, string, bool)       {}
func (nobody) Left(string, string, bool, bool) {}
func (nobody) Doubt(time.Duration)             {}

// fixture is a server on a loopback port.
type fixture struct {
	hub    *hub.Hub
	node   *node.Node
	socket *Server
	addr   string
	gate   *fakeGate
	ops    fakeOps
	clock  *clock
	log    *strings.Builder
}

// mostWait is how long a test waits for something before it fails. It bounds despair, and is
// no part of what any test promises: a machine may be ten times slower than this one.
const mostWait = time.Minute

// start runs a server that is shut down, with all its goroutines, at the end of
// the test.
func start(t testing.TB, change func(*Options, *hub.Options)) *fixture {
	t.Helper()
	f := &fixture{
		gate:  &fakeGate{settings: skein.Settings{CommandRate: -1}},
		ops:   fakeOps{},
		clock: &clock{now: time.Now()},
		log:   new(strings.Builder),
	}
	hubOpts := hub.Options{KickFrame: func(reason string) []byte { return wire.AppendKick(nil, 1, reason) }}
	opts := Options{Gate: f.gate, Registrar: fakeRegistrar{}, Ops: f.ops, Now: f.clock.Now, MaxPerAddress: -1}
	opts.Log = slog.New(slog.NewTextHandler(f.log, nil))
	if change != nil {
		change(&opts, &hubOpts)
	}
	hubOpts.Left = func(s *hub.Session) { f.node.Left(s) }
	f.hub = hub.New(hubOpts)
	var err error
	if f.node, err = node.New(t.Context(), node.Options{
		Name: "n", Store: newSessions(), Hub: f.hub, Presence: nobody{},
	}); err != nil {
		t.Fatal(err)
	}
	opts.Hub, opts.Node = f.hub, f.node
	f.socket = New(opts)
	web := httptest.NewServer(f.socket)
	f.addr = web.Listener.Addr().String()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), mostWait)
		defer cancel()
		if err := f.socket.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		f.node.Close(ctx)
		web.Close()
	})
	return f
}

// timedConn is a pipe that records the read deadline of its socket.
type timedConn struct {
	net.Conn

	mu     sync.Mutex
	readBy time.Time
}

func (c *timedConn) SetReadDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBy = at
	return c.Conn.SetReadDeadline(at)
}

// deadline is the read deadline; zero: none.
func (c *timedConn) deadline() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readBy
}

// pipe is a peer on a pipe, whose socket has no file descriptor, as behind TLS.
func (f *fixture) pipe(t testing.TB) (*peer, *timedConn) {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	nc := &timedConn{Conn: server}
	c := newConn(f.socket, nc, "pipe", 0)
	if direct(c.nc) != nil {
		t.Fatal("a pipe has no file descriptor")
	}
	if err := f.socket.reserve("pipe"); err != nil {
		t.Fatal(err)
	}
	f.socket.open.add(c, func() { f.socket.running.Go(func() { c.serve(nil) }) })
	return &peer{t: t, nc: client, r: bufio.NewReader(client)}, nc
}

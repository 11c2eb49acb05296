package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/bus/lossy"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sessions"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster is several nodes over one store and one bus, on the clock of a bubble.
type cluster struct {
	*testing.T
	*sessions.Table

	bus   *lossy.Network
	nodes map[string]*machine
	ids   int

	ahead atomic.Int64 // of the table's clock

	mu   sync.Mutex
	cuts []skein.Cut // guarded by mu
	away error       // what the store answers; guarded by mu
}

// machine is one node with its hub.
type machine struct {
	*Node

	hub *hub.Hub

	mu   sync.Mutex
	said []string // to presence; guarded by mu
}

func inCluster(t *testing.T, test func(c *cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{T: t, bus: lossy.New(2, 1, lossy.Faults{}), nodes: map[string]*machine{}}
		defer c.bus.Close()
		c.Table = sessions.New(func(context.Context) (int64, error) { return 1000, nil }, func() int64 { return 0 }, func() time.Time {
			return time.Now().Add(time.Duration(c.ahead.Load()))
		})
		for i, name := range []string{"one", "two"} {
			c.start(name, c.bus.Nodes()[i])
			defer c.stop(name)
		}
		test(c)
	})
}

func (c *cluster) start(name string, events bus.Bus) {
	c.Helper()
	m := &machine{}
	m.hub = hub.New(hub.Options{
		KickFrame: func(reason string) []byte { return []byte(reason) },
		Left:      func(s *hub.Session) { m.Left(s) },
		Heartbeat: time.Hour,
	})
	var err error
	if m.Node, err = New(c.Context(), Options{Name: name, Store: c, Hub: m.hub, Bus: events, Presence: presence{m}}); err != nil {
		c.Fatal(err)
	}
	c.nodes[name] = m
}

// stop drains a node, if it runs.
func (c *cluster) stop(name string) {
	if m := c.nodes[name]; m != nil {
		_ = m.hub.Close(context.Background())
		m.Close(context.Background())
		delete(c.nodes, name)
	}
}

func (m *machine) Came(_, client string, _ bool) { m.say("%s came", client) }
func (m *machine) Doubt(within time.Duration)    { m.say("doubt for %v", within) }

func (m *machine) say(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, fmt.Sprintf(format, args...))
}

// told is what presence was told since the last call.
func (m *machine) told() string {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	all := strings.Join(m.said, ", ")
	m.said = nil
	return all
}

// presence of a machine: Left of the node itself is the hub's.
type presence struct{ *machine }

func (p presence) Left(_, client string, last, here bool) {
	p.say("%s left last=%v here=%v", client, last, here)
}

func (c *cluster) CutsSince(_ context.Context, after store.Watermark, limit int) ([]skein.Cut, store.Watermark, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if after == 0 {
		return nil, store.Watermark(len(c.cuts) + 1), nil
	}
	some := c.cuts[after-1:]
	some = some[:min(limit, len(some))]
	return slices.Clone(some), after + store.Watermark(len(some)), c.away
}

func (c *cluster) CountNodes(ctx context.Context, ahead time.Duration) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away != nil {
		return 0, c.away
	}
	return c.Table.CountNodes(ctx, ahead)
}

func (c *cluster) RenewNode(ctx context.Context, node string, lease time.Duration) ([]store.Displaced, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away != nil {
		return nil, false, c.away
	}
	return c.Table.RenewNode(ctx, node, lease)
}

// screen is a socket.
type screen struct {
	mu    sync.Mutex
	ended string
}

func (*screen) WriteFrames([][]byte, func()) error { return nil }
func (*screen) Ping(func()) error                  { return nil }

func (s *screen) Close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == "" {
		s.ended = fmt.Sprint(code, " ", reason)
	}
}

// state is how the socket ended; "open" before it.
func (s *screen) state() string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == "" {
		return "open"
	}
	return s.ended
}

// login logs Tom in with a device on a node, judged by a rev.
func (c *cluster) login(node, device string, rev int64) (*hub.Session, *screen) {
	c.Helper()
	s, conn, err := c.tryLogin(node, device, rev, Login{})
	if err != nil {
		c.Fatalf("login of %s on %s: %v", device, node, err)
	}
	return s, conn
}

func (c *cluster) tryLogin(node, device string, rev int64, in Login) (*hub.Session, *screen, error) {
	c.Helper()
	c.ids++
	m, conn := c.nodes[node], &screen{}
	s, err := m.hub.Attach(hub.Login{App: "shop", Client: "Tom", Device: device, ID: fmt.Sprintf("%032x", c.ids), Rev: rev, Conn: conn})
	if err != nil {
		c.Fatal(err)
	}
	if err := m.Enter(c.Context(), s, in); err != nil {
		s.Detach()
		return nil, conn, err
	}
	s.Answer([]byte("welcome"))
	return s, conn, nil
}

func (c *cluster) want(what, got, want string) {
	c.Helper()
	if got != want {
		c.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// there is Tom's sessions in the store, as device@node.
func (c *cluster) there() string {
	synctest.Wait()
	all, _ := c.SessionsOf(context.Background(), "shop", []string{"Tom"})
	var out []string
	for _, s := range all {
		out = append(out, s.Device+"@"+s.Node)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// cut stores a cut of Tom on node two; with lost nobody hears of it.
func (c *cluster) cut(cut skein.Cut, lost bool) {
	cut.App, cut.Client = "shop", "Tom"
	c.mu.Lock()
	c.cuts = append(c.cuts, cut)
	c.mu.Unlock()
	if !lost {
		c.nodes["two"].Cut(cut)
	}
}

// empty removes all sessions and leases without a sign, as a crash of the database does.
func (c *cluster) empty() {
	c.ahead.Store(int64(time.Hour))
	defer c.ahead.Store(0)
	if _, err := c.ExpireNodes(context.Background()); err != nil {
		c.Fatal(err)
	}
}

// setAway is what the store answers from now on.
func (c *cluster) setAway(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = err
}

// loses makes the bus lose everything.
func (c *cluster) loses() { c.bus.Set(lossy.Faults{Lose: 1}) }

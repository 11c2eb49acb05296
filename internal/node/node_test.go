package node

import (
	"context"
	"errors"
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
		c.Table = sessions.New(func(context.Context) (int64, error) { return 1000, nil }, func() time.Time {
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

func (m *machine) Came(_, client string) { m.say("%s came", client) }

func (m *machine) Doubt(within time.Duration) { m.say("doubt for %v", within) }

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

func TestALoginOnAnotherNodeDisplacesTheDevice(t *testing.T) {
	inCluster(t, func(c *cluster) {
		first, older := c.login("one", "phone", 1)
		_, desk := c.login("one", "desk", 1)
		_, newer := c.login("two", "phone", 1)
		c.want("the older socket", older.state(), "4401 replaced")
		c.want("another device", desk.state(), "open")
		c.want("the newer", newer.state(), "open")
		c.want("sessions", c.there(), "desk@one phone@two")
		_, late, err := c.tryLogin("one", "phone", 1, Login{Resume: true, Generation: first.Generation()})
		if superseded, ok := errors.AsType[*store.Superseded](err); !ok || superseded.Reason != skein.KickReplaced {
			t.Errorf("a resume of the displaced login: got %v, want replaced", err)
		}
		c.want("its socket", late.state(), "open") // for the caller to answer
		c.want("sessions of the first node", fmt.Sprint(c.nodes["one"].hub.Sessions()), "1")
	})
}

func TestADisplacedSessionEndsWithinABeatThoughTheBusLosesTheWord(t *testing.T) {
	inCluster(t, func(c *cluster) {
		_, older := c.login("one", "phone", 1)
		c.loses()
		c.login("two", "phone", 1)
		c.want("at first", older.state(), "open")
		time.Sleep(time.Second)
		c.want("a beat later", older.state(), "4401 replaced")
		time.Sleep(time.Second)
		displaced, _, err := c.RenewNode(t.Context(), "one", time.Second)
		c.want("told again once it left", fmt.Sprint(len(displaced), err), "0 <nil>")
	})
}

func TestACutEndsTheSessionsThatWereJudgedByAnOlderRev(t *testing.T) {
	for name, tt := range map[string]struct {
		cut  skein.Cut
		lost bool
		wait time.Duration
		want string // of phone and pad on node one, judged by 3 and 5; of tab on node two, by 4
	}{
		"a client":                 {skein.Cut{Reason: "banned", Rev: 6}, false, 0, "4401 banned/4401 banned/4401 banned"}, //nolint:dupword // of three sessions
		"those judged before":      {skein.Cut{Reason: "banned", Rev: 5}, false, 0, "4401 banned/open/4401 banned"},
		"a device":                 {skein.Cut{Device: "pad", Reason: "logged_out", Rev: 6}, false, 0, "open/4401 logged_out/open"},
		"nobody, by a late word":   {skein.Cut{Reason: "deleted", Rev: 3}, false, 0, "open/open/open"},
		"not yet, when it is lost": {skein.Cut{Reason: "banned", Rev: 6}, true, 0, "open/open/open"},
		"by the store when it is":  {skein.Cut{Reason: "banned", Rev: 5}, true, time.Second, "4401 banned/open/4401 banned"},
		"a device when it is":      {skein.Cut{Device: "tab", Reason: "logged_out", Rev: 5}, true, time.Second, "open/open/4401 logged_out"},
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, func(c *cluster) {
				c.cut(skein.Cut{Reason: "banned", Rev: 100}, true) // before anybody was there
				time.Sleep(2500 * time.Millisecond)                // between two beats
				_, phone := c.login("one", "phone", 3)
				_, pad := c.login("one", "pad", 5)
				_, other := c.login("two", "tab", 4)
				c.cut(tt.cut, tt.lost)
				time.Sleep(tt.wait)
				got := []string{phone.state(), pad.state(), other.state()}
				c.want("sessions", strings.Join(got, "/"), tt.want)
			})
		})
	}
}

func TestWhoComesAndLeavesIsToldOnAllNodes(t *testing.T) {
	inCluster(t, func(c *cluster) {
		one, two := c.nodes["one"], c.nodes["two"]
		phone, _ := c.login("one", "phone", 1)
		desk, _ := c.login("two", "desk", 1)
		c.want("logins, here", one.told(), "Tom came, Tom came")
		c.want("logins, there", two.told(), "Tom came, Tom came")
		phone.Detach()
		c.want("one of two leaves, here", one.told(), "Tom left last=false here=true")
		c.want("one of two leaves, there", two.told(), "Tom left last=false here=false")
		desk.Detach()
		c.want("the last leaves, there", one.told(), "Tom left last=true here=false")
		c.want("the last leaves, here", two.told(), "Tom left last=true here=true")
		c.want("sessions", c.there(), "")
		online, err := one.Online(t.Context(), "shop", []string{"Tom"})
		c.want("online", fmt.Sprint(len(online), err), "0 <nil>")
	})
}

func TestTheSessionsOfANodeThatDiedLeaveWhenItsLeaseEnds(t *testing.T) {
	inCluster(t, func(c *cluster) {
		one, two := c.nodes["one"], c.nodes["two"]
		c.login("one", "phone", 1)
		one.cancel() // it does nothing any more
		one.running.Wait()
		two.told()
		time.Sleep(5 * time.Second)
		c.want("until its lease ends", c.there(), "phone@one")
		time.Sleep(2 * time.Second)
		c.want("after that", c.there(), "")
		c.want("told", two.told(), "Tom left last=true here=true")
	})
}

func TestANodeThatComesBackEntersItsSessionsAgain(t *testing.T) {
	inCluster(t, func(c *cluster) {
		phone, phoneConn := c.login("one", "phone", 1)
		desk, deskConn := c.login("one", "desk", 1)
		before := desk.Generation()
		if _, err := c.ExpireNodes(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.setAway(errors.New("no route to the store"))
		time.Sleep(6 * time.Second)
		if _, err := c.ExpireNodes(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.want("sessions of nodes that the store did not hear", c.there(), "")
		c.setAway(nil)
		c.login("two", "phone", 1) // node two renews its lease by itself
		time.Sleep(time.Second)
		c.want("sessions", c.there(), "desk@one phone@two")
		c.want("who logged in elsewhere meanwhile", phoneConn.state(), "4401 replaced")
		c.want("who did not", deskConn.state(), "open")
		all, _ := c.SessionsOf(t.Context(), "shop", []string{"Tom"})
		for _, s := range all {
			if s.Device == "desk" && s.Generation != before {
				t.Errorf("the desk entered again with generation %d, want %d", s.Generation, before)
			}
		}
		phone.Detach()
		desk.Detach()
		c.want("in the end", c.there(), "phone@two")
	})
}

func TestASessionThatEndsWhileItEntersIsTakenOut(t *testing.T) {
	inCluster(t, func(c *cluster) {
		m := c.nodes["one"]
		s, err := m.hub.Attach(hub.Login{App: "shop", Client: "Tom", Device: "phone", ID: fmt.Sprintf("%032x", 1), Conn: &screen{}})
		if err != nil {
			t.Fatal(err)
		}
		m.hub.Kick(hub.Target{App: "shop", Client: "Tom"}, "banned")
		if err := m.Enter(t.Context(), s, Login{}); err != nil {
			t.Errorf("got %v, want none: the hub tells the socket", err)
		}
		c.want("sessions", c.there(), "")
	})
}

func TestForgetsTheClientBeforeItsSessionsEnd(t *testing.T) {
	inCluster(t, func(c *cluster) {
		m := c.nodes["one"]
		c.login("one", "phone", 1)
		left := -1
		m.opts.Forget = func(app, client string) {
			if app == "shop" && client == "Tom" {
				left = m.hub.Sessions()
			}
		}
		m.applyCut(skein.Cut{App: "shop", Client: "Tom", Rev: 2, Reason: "banned"})
		c.want("sessions when it was forgotten, and after", fmt.Sprint(left, m.hub.Sessions()), "1 0")
	})
}

func TestSessionsThatTheStoreLostComeBackAndPresenceWaitsForThem(t *testing.T) {
	inCluster(t, func(c *cluster) {
		c.login("one", "phone", 1)
		c.login("two", "desk", 1)
		for _, name := range []string{"one", "two"} {
			c.nodes[name].told()
		}
		time.Sleep(1500 * time.Millisecond)
		c.empty()
		c.want("sessions", c.there(), "")
		time.Sleep(time.Second)
		c.want("sessions a beat later", c.there(), "desk@two phone@one")
		for _, name := range []string{"one", "two"} {
			told := c.nodes[name].told()
			if !strings.Contains(told, "doubt for 5s, Tom came") || strings.Contains(told, "left") {
				t.Errorf("node %s tells presence %q, want doubt before its own session came, and nobody who left", name, told)
			}
		}
	})
}

// The store was away for longer than a lease. No node could renew, so none has died.
func TestAfterTheStoreWasAwayNoNodeIsExpiredForOneLease(t *testing.T) {
	inCluster(t, func(c *cluster) {
		one, two := c.nodes["one"], c.nodes["two"]
		c.login("two", "phone", 1)
		time.Sleep(100 * time.Millisecond)
		c.setAway(errors.New("no route to the store"))
		time.Sleep(10 * time.Second)
		two.cancel() // it died meanwhile
		two.running.Wait()
		one.told()
		c.setAway(nil)
		time.Sleep(5 * time.Second)
		c.want("for one lease", one.told(), "")
		time.Sleep(2 * time.Second)
		c.want("then", one.told(), "Tom left last=true here=true")
	})
}

func TestANodeThatLostTheStoreKeepsItsSocketsForItsPatience(t *testing.T) {
	inCluster(t, func(c *cluster) {
		_, back := c.login("one", "phone", 1)
		time.Sleep(100 * time.Millisecond) // between two beats
		c.setAway(errors.New("no route to the store"))
		time.Sleep(29 * time.Second)
		c.want("before its patience ends", back.state(), "open")
		c.setAway(nil)
		time.Sleep(time.Second)
		c.want("when the store is back", back.state(), "open")

		var all []*screen
		for i := range 3 * leastDismissed / 2 {
			_, conn := c.login("one", fmt.Sprint("device", i), 1)
			all = append(all, conn)
		}
		c.setAway(errors.New("no route to the store"))
		time.Sleep(30 * time.Second)
		dismissed := func() (n int) {
			for _, conn := range append(all, back) {
				if conn.state() == "1012 this node has lost its database" {
					n++
				}
			}
			return n
		}
		c.want("at the end of its patience", fmt.Sprint(dismissed()), fmt.Sprint(leastDismissed))
		time.Sleep(time.Second)
		c.want("a beat later", fmt.Sprint(dismissed()), fmt.Sprint(len(all)+1))
	})
}

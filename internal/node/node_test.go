package node

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/store"
)

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

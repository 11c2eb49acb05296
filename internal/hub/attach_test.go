package hub

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheNewerLoginOfADeviceWins(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		older, newer, desk := newConn(), newConn(), newConn()
		attach(t, h, "desk", 1, desk)
		attach(t, h, "phone", 2, older)
		attach(t, h, "phone", 3, newer)
		synctest.Wait()
		check(t, "the older", older.ended(), "4401 replaced")
		check(t, "what it got", older.wrote(), "hello kick:replaced")
		check(t, "the newer", newer.ended(), "open")
		check(t, "another device", desk.ended(), "open")

		late := newConn()
		_, err := h.Attach(Login{App: "shop", Client: "Tom", Device: "phone", ID: sessionID(2), Conn: late})
		var superseded *Superseded
		check(t, "an older generation is refused", errors.As(err, &superseded), true)
		check(t, "and changes nothing", newer.ended(), "open")
		check(t, "sessions", h.Sessions(), 2)
	})
}

func TestOneDeviceTooManyKicksTheOldest(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		conns := map[string]*fakeConn{}
		for generation, device := range []string{"a", "b", "c", "d"} {
			conns[device] = newConn()
			attachLogin(t, h, Login{
				App: "shop", Client: "Tom", Device: device, ID: sessionID(generation), MaxDevices: 3, Conn: conns[device],
			})
		}
		synctest.Wait()
		check(t, "the oldest", conns["a"].ended(), "4401 device_limit")
		for _, device := range []string{"b", "c", "d"} {
			check(t, device, conns[device].ended(), "open")
		}
	})
}

func TestAKickFindsItsTargetAlone(t *testing.T) {
	type session struct{ app, client, device string }
	all := []session{{"shop", "Tom", "phone"}, {"shop", "Tom", "desk"}, {"shop", "Jerry", "phone"}, {"other", "Tom", "phone"}}
	for name, tt := range map[string]struct {
		target Target
		kicked []session
	}{
		"a device":                        {Target{App: "shop", Client: "Tom", Device: "desk"}, all[1:2]},
		"a client":                        {Target{App: "shop", Client: "Tom"}, all[:2]},
		"an app":                          {Target{App: "shop"}, all[:3]},
		"nobody":                          {Target{App: "shop", Client: "Spike"}, nil},
		"none that came after the moment": {Target{App: "shop", Client: "Tom", Before: 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, h *Hub) {
				conns := make([]*fakeConn, len(all))
				for i, s := range all {
					conns[i] = newConn()
					attachLogin(t, h, Login{
						App: s.app, Client: s.client, Device: s.device, ID: sessionID(i), Conn: conns[i], Started: h.now(),
					})
				}
				check(t, "kicked", h.Kick(tt.target, "banned"), len(tt.kicked))
				synctest.Wait()
				for i, s := range all {
					want := "open"
					if slices.Contains(tt.kicked, s) {
						want = "4401 banned"
					}
					check(t, s.app+" "+s.client+" "+s.device, conns[i].ended(), want)
				}
			})
		})
	}
}

func TestALoginUnderWayWhenItsClientIsKickedIsRefused(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		login := Login{App: "shop", Client: "Tom", Device: "phone", ID: sessionID(1), Started: h.now(), Conn: newConn()}
		time.Sleep(time.Second)
		h.Kick(Target{App: "shop", Client: "Tom"}, "banned")
		time.Sleep(time.Second)
		_, err := h.Attach(login)
		check(t, "begun before the kick", errors.Is(err, ErrCut), true)

		login.Started = h.now()
		_, err = h.Attach(login)
		check(t, "begun after it", err, nil)

		time.Sleep(2 * cutMemory)
		synctest.Wait()
		for i := range h.shards {
			check(t, "kicks remembered for ever", len(h.shards[i].cuts), 0)
		}
	})
}

func TestWhoIsOnline(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		check(t, "before", h.Online("shop", "Tom"), false)
		phone := attach(t, h, "phone", 1, newConn())
		desk := attach(t, h, "desk", 2, newConn())
		check(t, "with two devices", h.Online("shop", "Tom"), true)
		check(t, "in another app", h.Online("other", "Tom"), false)
		check(t, "apps", len(h.Apps()), 1)
		phone.Detach()
		phone.Detach()
		check(t, "with one", h.Online("shop", "Tom"), true)
		desk.Detach()
		check(t, "after", h.Online("shop", "Tom"), false)
		check(t, "apps after", len(h.Apps()), 0)
		check(t, "sessions after", h.Sessions(), 0)
	})
}

func TestASessionThatIsOverRunsNoCommand(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		conn := newConn()
		s := attach(t, h, "phone", 1, conn)
		check(t, "begin", s.Begin(), true)
		h.Kick(Target{App: "shop", Client: "Tom"}, "banned")
		s.Answer([]byte("late"))
		synctest.Wait()
		check(t, "writes", conn.wrote(), "hello kick:banned")
		check(t, "begin after the kick", s.Begin(), false)
	})
}

func TestTheLastAnswerClosesTheSession(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		conn := newConn()
		s := attach(t, h, "phone", 1, conn)
		s.Begin()
		h.Deliver("shop", "Tom", []byte("event"), Except{})
		s.Finish([]byte("bye"), 1000, "logout")
		check(t, "writes", conn.wrote(), "hello bye+event")
		check(t, "the session", conn.ended(), "1000 logout")
		check(t, "sessions", h.Sessions(), 0)
	})
}

package hub

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/skein-im/skein"
)

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
		"those judged by an older rev":    {Target{App: "shop", Client: "Tom", Rev: 2}, all[:1]},
		"none judged by the rev of a cut": {Target{App: "shop", Client: "Tom", Rev: 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, h *Hub) {
				conns := make([]*fakeConn, len(all))
				for i, s := range all {
					conns[i] = newConn()
					attachLogin(t, h, Login{
						App: s.app, Client: s.client, Device: s.device, ID: sessionID(i), Rev: int64(i + 1), Conn: conns[i],
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

func TestWhoIsOnline(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		check(t, "before", h.Online("shop", "Tom"), false)
		phone := attach(t, h, "phone", 1, newConn())
		desk := attach(t, h, "desk", 2, newConn())
		check(t, "with two devices", h.Online("shop", "Tom"), true)
		check(t, "in another app", h.Online("other", "Tom"), false)
		check(t, "apps", len(h.SessionsByApp()), 1)
		phone.Detach()
		phone.Detach()
		check(t, "with one", h.Online("shop", "Tom"), true)
		desk.Detach()
		check(t, "after", h.Online("shop", "Tom"), false)
		check(t, "apps after", len(h.SessionsByApp()), 0)
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

func TestAKickFindsALoginThatIsStillChecked(t *testing.T) {
	var left []string
	opts := Options{Left: func(s *Session) { left = append(left, s.ID()) }}
	inBubble(t, opts, func(t *testing.T, h *Hub) {
		conn := newConn()
		s, err := h.Attach(Login{App: "shop", Client: "Tom", Device: "phone", ID: sessionID(1), Rev: 4, Conn: conn})
		check(t, "attach", err, nil)
		s.Judged(5)
		check(t, "kicked by a cut that it was judged by", h.Kick(Target{App: "shop", Client: "Tom", Rev: 5}, "banned"), 0)
		check(t, "kicked by a later one", h.Kick(Target{App: "shop", Client: "Tom", Rev: 6}, "banned"), 1)
		check(t, "enters after that", s.Enter(1, false, skein.Snapshot{}), false)
		s.Answer([]byte("welcome"))
		synctest.Wait()
		check(t, "writes", conn.wrote(), "kick:banned")
		check(t, "told of one that never entered", len(left), 0)
	})
}

func TestAKickOfOneSession(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		phone, desk := newConn(), newConn()
		attach(t, h, "phone", 1, phone)
		attach(t, h, "desk", 2, desk)
		h.KickSession("shop", "Tom", sessionID(2), "replaced")
		h.KickSession("shop", "Tom", sessionID(3), "replaced")
		h.KickSession("other", "Tom", sessionID(1), "replaced")
		synctest.Wait()
		check(t, "the session named", desk.ended(), "4401 replaced")
		check(t, "the other", phone.ended(), "open")
		check(t, "entered", len(h.Entered()), 1)
	})
}

package hub

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// told is what Left was told, in order.
type told struct {
	mu   sync.Mutex
	said []string
}

func (w *told) say(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

func (w *told) options() Options {
	return Options{Left: func(s *Session) { w.say("%s left %s", s.Client(), strings.TrimLeft(s.ID(), "0")) }}
}

func TestWhoGoesIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(t *testing.T, h *Hub, phone, desk *Session)
		want string
	}{
		"a socket goes":     {func(_ *testing.T, _ *Hub, phone, _ *Session) { phone.Detach(); phone.Detach() }, "Tom left 1"},
		"and then the last": {func(_ *testing.T, _ *Hub, phone, desk *Session) { desk.Detach(); phone.Detach() }, "Tom left 2, Tom left 1"},
		"a login that fails": {func(_ *testing.T, h *Hub, _, _ *Session) {
			s, _ := h.Attach(Login{App: "shop", Client: "Tom", ID: sessionID(3), Conn: newConn()})
			s.Detach()
		}, ""},
		"a kick of one": {func(_ *testing.T, h *Hub, _, _ *Session) {
			h.Kick(Target{App: "shop", Client: "Tom", Device: "desk"}, "x")
		}, "Tom left 2"},
		"a kick of all": {func(_ *testing.T, h *Hub, _, _ *Session) { h.Kick(Target{App: "shop"}, "x") }, "Tom left 2, Tom left 1"},
		"the goodbye of a logout": {func(_ *testing.T, _ *Hub, phone, _ *Session) {
			phone.Begin()
			phone.Finish([]byte("bye"), 1000, "logout")
		}, "Tom left 1"},
		"a socket that is broken": {func(_ *testing.T, h *Hub, phone, _ *Session) {
			phone.fail(nil)
			h.sweep(h.now())
			phone.ping()
			phone.Detach()
		}, "Tom left 1"},
	} {
		t.Run(name, func(t *testing.T) {
			var w told
			inBubble(t, w.options(), func(t *testing.T, h *Hub) {
				phone, desk := attach(t, h, "phone", 1, newConn()), attach(t, h, "desk", 2, newConn())
				tt.do(t, h, phone, desk)
				synctest.Wait()
				check(t, "told", strings.Join(w.said, ", "), tt.want)
			})
		})
	}
}

func TestAnEventForOneSession(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		phone, desk := newConn(), newConn()
		attach(t, h, "phone", 1, phone)
		attach(t, h, "desk", 2, desk)
		check(t, "to the desk", h.DeliverTo("shop", "Tom", sessionID(2), []byte("hi")), true)
		check(t, "to nobody's session", h.DeliverTo("shop", "Tom", sessionID(3), []byte("hi")), false)
		check(t, "to another client's", h.DeliverTo("shop", "Jerry", sessionID(2), []byte("hi")), false)
		synctest.Wait()
		check(t, "the desk", desk.wrote(), "hello hi")
		check(t, "the phone", phone.wrote(), "hello")
	})
}

func TestAKickOfThoseWithoutATokenSparesTheOthers(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		open, proven := newConn(), newConn()
		attachLogin(t, h, Login{App: "shop", Client: "Tom", Device: "a", ID: sessionID(1), Conn: open})
		attachLogin(t, h, Login{App: "shop", Client: "Tom", Device: "b", ID: sessionID(2), Conn: proven, Expires: h.now().Add(1e12)})
		check(t, "kicked", h.Kick(Target{App: "shop", WithoutToken: true}, "logged_out"), 1)
		synctest.Wait()
		check(t, "without a token", open.ended(), "4401 logged_out")
		check(t, "with one", proven.ended(), "open")
	})
}

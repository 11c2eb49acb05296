package hub

import (
	"testing"
	"testing/synctest"

	"github.com/skein-im/skein"
)

func TestASessionGetsNoEventThatItsClientCouldReadWhenItLoggedIn(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		conn := newConn()
		s, err := h.Attach(Login{App: "shop", Client: "Tom", ID: sessionID(1), Conn: conn})
		if err != nil {
			t.Fatal(err)
		}
		deliver := func(frame string, stamp int64) int {
			return h.Deliver("shop", "Tom", []byte(frame), Except{Stamp: stamp})
		}
		check(t, "held back before the session entered", deliver("5", 5)+deliver("6", 6)+deliver("9", 9)+deliver("none", 0), 4)
		s.Enter(1, false, skein.Snapshot{Next: 9, Open: []int64{6}})
		check(t, "its client could read it", deliver("7", 7), 0)
		check(t, "it was not committed then", deliver("late 6", 6)+deliver("10", 10), 2)
		check(t, "bytes that wait", s.bytes, len("6"+"9"+"none"+"late 6"+"10"))
		s.Answer([]byte("hello"))
		check(t, "later", deliver("8", 8)+deliver("11", 11), 1)
		synctest.Wait()
		check(t, "writes", conn.wrote(), "hello+6+9+none+late 6+10 11")
	})
}

func TestDeliverReachesSessionsByTheirAge(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		nobody := h.Newest()
		attach(t, h, "phone", 1, newConn())
		older := h.Newest()
		login, err := h.Attach(Login{App: "shop", Client: "Tom", Device: "watch", ID: sessionID(3), Conn: newConn()})
		check(t, "a login that has not entered", err, nil)
		defer login.Detach()
		attach(t, h, "desk", 2, newConn())
		for name, tt := range map[string]struct {
			except Except
			want   int
		}{
			"all":                     {Except{}, 3},
			"only the old":            {Except{Upto: older}, 1},
			"only the new":            {Except{From: older}, 1},
			"none is newer":           {Except{From: h.Newest()}, 0},
			"none was there":          {Except{Upto: nobody}, 0},
			"all that have entered":   {Except{From: nobody}, 2},
			"those entered until now": {Except{Upto: h.Newest()}, 2},
		} {
			check(t, name, h.Deliver("shop", "Tom", []byte("x"), tt.except), tt.want)
		}
	})
}

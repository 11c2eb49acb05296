package hub

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/skein-im/skein"
)

func TestASessionEndsWithinASecondOfItsToken(t *testing.T) {
	for _, life := range []time.Duration{time.Millisecond, 999 * time.Millisecond, 17*time.Second + 250*time.Millisecond, 10 * time.Minute} {
		t.Run(life.String(), func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, h *Hub) {
				conn := newConn()
				s := attachLogin(t, h, Login{
					App: "shop", Client: "Tom", ID: sessionID(1), Conn: conn, Expires: h.now().Add(life),
				})
				end := time.Now().Add(life)
				for time.Until(end) > time.Second {
					time.Sleep(time.Second)
					s.Touch()
				}
				time.Sleep(time.Until(end) - time.Millisecond)
				synctest.Wait()
				check(t, "just before", conn.ended(), "open")
				time.Sleep(time.Second)
				synctest.Wait()
				check(t, "a second later", conn.ended(), "4401 token_expired")
			})
		})
	}
}

func TestAPeerIsPingedEveryHeartbeatAndDroppedAfterTwoSilentOnes(t *testing.T) {
	inBubble(t, Options{Heartbeat: 25 * time.Second}, func(t *testing.T, h *Hub) {
		silent, alive := newConn(), newConn()
		attach(t, h, "silent", 1, silent)
		s := attach(t, h, "alive", 2, alive)
		for range 10 {
			time.Sleep(10 * time.Second)
			s.Touch()
		}
		synctest.Wait()
		check(t, "pings in 100 s", alive.pinged(), 3)
		check(t, "the one alive", alive.ended(), "open")
		check(t, "the silent one", silent.ended(), "4504 silent for two heartbeats")
		check(t, "sessions", h.Sessions(), 1)
	})
}

func TestTheSilentAreNotDroppedEarly(t *testing.T) {
	inBubble(t, Options{Heartbeat: 25 * time.Second}, func(t *testing.T, h *Hub) {
		conn := newConn()
		attach(t, h, "phone", 1, conn)
		time.Sleep(50*time.Second - time.Millisecond)
		synctest.Wait()
		check(t, "before two heartbeats", conn.ended(), "open")
		time.Sleep(time.Second)
		synctest.Wait()
		check(t, "after them", conn.ended(), "4504 silent for two heartbeats")
	})
}

func TestTheWheelFindsWhatIsDue(t *testing.T) {
	second := func(n int) skein.Millis { return skein.Millis(n) * 1000 }
	for name, tt := range map[string]struct {
		due, before, after skein.Millis // of the wheel's start at 100 s
	}{
		"now":                 {second(100), second(100), second(101)},
		"soon":                {second(105), second(105), second(106)},
		"long ago":            {second(1), second(100), second(101)},
		"beyond one turn":     {second(1000), second(163), second(165)}, // looked at early, to be put back
		"after a jump ahead":  {second(105), second(104), second(100_000)},
		"after a jump behind": {second(105), second(50), second(106)},
	} {
		t.Run(name, func(t *testing.T) {
			var w wheel
			w.reset(second(100))
			s := &Session{}
			w.add(s, tt.due)
			check(t, "before", len(w.turn(tt.before, nil)), 0)
			check(t, "after", len(w.turn(tt.after, nil)), 1)
			check(t, "twice", len(w.turn(tt.after+second(1000), nil)), 0)
		})
	}
}

func TestTheWheelForgetsWhatIsRemoved(t *testing.T) {
	var w wheel
	w.reset(0)
	var all [5]Session
	for i := range all {
		w.add(&all[i], 1000)
	}
	for _, i := range []int{4, 0, 2} { // the first, the last and one between
		w.remove(&all[i])
		w.remove(&all[i])
	}
	due := w.turn(10_000, nil)
	if len(due) != 2 || due[0] != &all[3] || due[1] != &all[1] {
		t.Errorf("got %d sessions, want the two that were not removed", len(due))
	}
}

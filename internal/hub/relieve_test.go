package hub

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stalled attaches a client of an app that reads nothing from now on.
func stalled(t *testing.T, h *Hub, app string, n int) *fakeConn {
	t.Helper()
	conn := newConn()
	attachLogin(t, h, Login{App: app, Client: fmt.Sprint("c", n), ID: sessionID(n), Conn: conn})
	slow := newSlowConn()
	conn.gate, conn.started = slow.gate, slow.started
	return conn
}

func TestTooMuchWaitingInAllClosesTheFattestOfTheFattestApp(t *testing.T) {
	inBubble(t, Options{MaxWaiting: 10_000, OutboxBytes: 5000}, func(t *testing.T, h *Hub) {
		calm := stalled(t, h, "calm", 0)
		h.Deliver("calm", "c0", make([]byte, 3000), Except{})
		var greedy []*fakeConn
		for i := range 10 {
			greedy = append(greedy, stalled(t, h, "greedy", i+1))
			for range i + 1 {
				h.Deliver("greedy", fmt.Sprint("c", i+1), make([]byte, 200), Except{})
			}
		}
		check(t, "bytes that wait", h.waiting(), 3000+200*55)
		time.Sleep(3 * tick)
		synctest.Wait()
		// 7,500 may stay: 3,000 of calm, and of greedy those of 200 to 1,200 bytes.
		check(t, "the calm app", calm.ended(), "open")
		for i, conn := range greedy {
			want := "open"
			if i >= 6 {
				want = "1006 " // it did not even take the goodbye
			}
			check(t, fmt.Sprint("greedy session ", i), conn.ended(), want)
		}
		check(t, "bytes that wait", h.waiting(), 3000+200*21)
		check(t, "closed as slow", h.slow.Load(), 4)
		for _, conn := range append(greedy, calm) { // whose writes would wait for ever
			conn.Close(CloseAbnormal, "")
		}
	})
}

func TestWhoReadsAgainIsToldThatItWasTooSlow(t *testing.T) {
	inBubble(t, Options{MaxWaiting: 1000}, func(t *testing.T, h *Hub) {
		conn := stalled(t, h, "shop", 1)
		h.Deliver("shop", "c1", make([]byte, 600), Except{})
		<-conn.started
		h.Deliver("shop", "c1", make([]byte, 600), Except{})
		time.Sleep(tick + tick/2)
		conn.pass()
		synctest.Wait()
		check(t, "the end", conn.ended(), "4508 too slow a reader")
		time.Sleep(2 * tick)
		check(t, "later", conn.ended(), "4508 too slow a reader")
		check(t, "bytes that wait", h.waiting(), 0)
	})
}

func TestWhatWaitsIsCountedDownToNothing(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		frame := []byte(strings.Repeat("x", 100))
		read, left, failed := newConn(), newConn(), newConn()
		attach(t, h, "read", 1, read)
		session := attach(t, h, "left", 2, left)
		attach(t, h, "failed", 3, failed)
		failed.fails = true
		session.Begin() // so that events are held
		for range 10 {
			h.Deliver("shop", "Tom", frame, Except{})
		}
		synctest.Wait()
		check(t, "while one holds", h.waiting(), 1000)
		session.Detach()
		check(t, "in the end", h.waiting(), 0)
		check(t, "read", bytes.Count([]byte(read.wrote()), frame), 10)
	})
}

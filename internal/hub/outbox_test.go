package hub

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// inBubble runs a test on a fake clock with a hub that is closed at its end, and
// fails if a goroutine of the hub outlives it.
func inBubble(t *testing.T, opts Options, test func(t *testing.T, h *Hub)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opts.KickFrame = kickFrame
		h := New(opts)
		defer func() {
			if err := h.Close(t.Context()); err != nil {
				t.Errorf("close: %v", err)
			}
		}()
		test(t, h)
	})
}

func TestFramesWaitingForOneSocketGoOutInOneWrite(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		conn := newSlowConn()
		s, err := h.Attach(Login{App: "shop", Client: "Tom", ID: sessionID(1), Conn: conn})
		if err != nil {
			t.Fatal(err)
		}
		go s.Answer([]byte("hello"))
		<-conn.started
		for _, f := range []string{"a", "b", "c"} {
			check(t, "sessions reached", h.Deliver("shop", "Tom", []byte(f), Except{}), 1)
		}
		conn.pass()
		conn.pass()
		synctest.Wait()
		check(t, "writes", conn.wrote(), "hello a+b+c")
	})
}

func TestASlowReaderIsClosedAndHurtsNoOther(t *testing.T) {
	const sent = 100
	inBubble(t, Options{OutboxBytes: 1000}, func(t *testing.T, h *Hub) {
		slow, quick := newSlowConn(), newConn()
		attach(t, h, "quick", 2, quick)
		s, err := h.Attach(Login{App: "shop", Client: "Tom", Device: "slow", ID: sessionID(1), Conn: slow})
		if err != nil {
			t.Fatal(err)
		}
		go s.Answer([]byte("hello"))
		<-slow.started

		frame := bytes.Repeat([]byte("x"), 100)
		reached := 0
		for range sent {
			reached += h.Deliver("shop", "Tom", frame, Except{})
			synctest.Wait()
		}
		check(t, "queued", reached, sent+9) // 9 × 100 and the 5 bytes being written
		check(t, "the quick one's frames", quick.frames(), 1+sent)
		check(t, "the quick one", quick.ended(), "open")

		slow.pass()
		synctest.Wait()
		check(t, "the slow one", slow.ended(), "4508 too slow a reader")
		check(t, "what the slow one got", slow.wrote(), "hello")
		check(t, "closed as slow", h.slow.Load(), 1)
		check(t, "frames dropped", h.dropped.Load(), 10)
		check(t, "sessions left", h.Sessions(), 1)
	})
}

func TestTheOutboxIsBoundedInFramesToo(t *testing.T) {
	inBubble(t, Options{OutboxFrames: 3}, func(t *testing.T, h *Hub) {
		conn := newConn()
		s := attach(t, h, "phone", 1, conn)
		s.Begin()
		for range 4 {
			h.Deliver("shop", "Tom", nil, Except{})
		}
		synctest.Wait()
		check(t, "the session", conn.ended(), "4508 too slow a reader")
	})
}

func TestAnAnswerComesBeforeTheEventsOfItsCommand(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		conn := newConn()
		s, err := h.Attach(Login{App: "shop", Client: "Tom", ID: sessionID(1), Conn: conn})
		if err != nil {
			t.Fatal(err)
		}
		h.Deliver("shop", "Tom", []byte("early"), Except{})
		synctest.Wait()
		check(t, "before the login is answered", conn.wrote(), "")
		s.Answer([]byte("hello"))

		h.Deliver("shop", "Tom", []byte("between"), Except{})
		synctest.Wait()
		s.Begin()
		h.Deliver("shop", "Tom", []byte("event"), Except{})
		synctest.Wait()
		s.Answer([]byte("answer"))
		check(t, "writes", conn.wrote(), "hello+early between answer+event")
	})
}

func TestAnAnswerIsWrittenWhenAnswerReturns(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		conn := newSlowConn()
		s, err := h.Attach(Login{App: "shop", Client: "Tom", ID: sessionID(1), Conn: conn})
		if err != nil {
			t.Fatal(err)
		}
		go conn.pass()
		s.Answer([]byte("hello"))
		h.Deliver("shop", "Tom", []byte("event"), Except{})
		synctest.Wait() // the event is being written by another goroutine
		go func() {
			conn.pass()
			conn.pass()
		}()
		s.Begin()
		s.Answer([]byte("answer"))
		check(t, "writes", conn.wrote(), "hello event answer")
	})
}

func TestAnAnswerOverTheBoundIsNoSlowReader(t *testing.T) {
	inBubble(t, Options{OutboxBytes: 10}, func(t *testing.T, h *Hub) {
		conn := newConn()
		s := attach(t, h, "phone", 1, conn)
		s.Begin()
		s.Answer([]byte(strings.Repeat("x", 100)))
		h.Deliver("shop", "Tom", []byte("event"), Except{})
		synctest.Wait()
		check(t, "the session", conn.ended(), "open")
		check(t, "frames", conn.frames(), 3)
	})
}

func TestASocketThatCannotBeWrittenToIsCut(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		conn := newConn()
		attach(t, h, "phone", 1, conn)
		conn.mu.Lock()
		conn.fails = true
		conn.mu.Unlock()
		h.Deliver("shop", "Tom", []byte("event"), Except{})
		synctest.Wait()
		check(t, "the session", conn.ended(), "1006 ")
		check(t, "sessions left", h.Sessions(), 0)
		check(t, "reached after", h.Deliver("shop", "Tom", []byte("event"), Except{}), 0)
	})
}

func TestDeliverLeavesOutWhomItIsToldTo(t *testing.T) {
	for name, tt := range map[string]struct {
		except Except
		want   int
	}{
		"nobody is left out":       {Except{}, 2},
		"a device is left out":     {Except{Device: "phone"}, 1},
		"a session is left out":    {Except{Session: sessionID(2)}, 1},
		"both may name another":    {Except{Device: "phone", Session: sessionID(2)}, 0},
		"strangers change nothing": {Except{Device: "watch", Session: sessionID(9)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, h *Hub) {
				attach(t, h, "phone", 1, newConn())
				attach(t, h, "desk", 2, newConn())
				check(t, fmt.Sprintf("reached with %+v", tt.except), h.Deliver("shop", "Tom", []byte("x"), tt.except), tt.want)
				check(t, "another app's namesake", h.Deliver("other", "Tom", []byte("x"), tt.except), 0)
			})
		})
	}
}

// TestFramesStayInOrder has deliveries, commands and their answers race.
func TestFramesStayInOrder(t *testing.T) {
	h := New(Options{OutboxBytes: 64 << 20, OutboxFrames: 1 << 20})
	conn := newConn()
	s := attach(t, h, "phone", 1, conn)
	const n = 5000
	var both sync.WaitGroup
	both.Go(func() {
		for i := range n {
			h.Deliver("shop", "Tom", fmt.Appendf(nil, "e%d", i), Except{})
		}
	})
	both.Go(func() {
		for i := range n {
			s.Begin()
			s.Answer(fmt.Appendf(nil, "a%d", i))
		}
	})
	both.Wait()
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, answers := 0, 0
	for _, w := range conn.writes {
		for _, f := range w {
			switch f {
			case fmt.Sprint("e", events):
				events++
			case fmt.Sprint("a", answers):
				answers++
			case "hello":
			default:
				t.Fatalf("frame %q came after event %d and answer %d", f, events, answers)
			}
		}
	}
	check(t, "events", events, n)
	check(t, "answers", answers, n)
}

package hub

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// attachMany logs in as many clients, c0 and on.
func attachMany(t *testing.T, h *Hub, conns []*fakeConn) {
	t.Helper()
	for i, conn := range conns {
		s, err := h.Attach(Login{App: "shop", Client: fmt.Sprint("c", i), ID: sessionID(i), Conn: conn})
		if err != nil {
			t.Fatal(err)
		}
		go s.Answer([]byte("hello"))
	}
	synctest.Wait()
}

// oneQueue gives all sessions one queue with as many writers.
func oneQueue(h *Hub, writers int) {
	h.queues[0].limit = writers
	for i := range h.shards {
		h.shards[i].queue = &h.queues[0]
	}
}

func TestSocketsThatHaveToBeWaitedForHoldUpNoOther(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		oneQueue(h, 2)
		conns := make([]*fakeConn, 8)
		for i := range conns {
			conns[i] = newSlowConn()
		}
		attachMany(t, h, conns)
		for _, c := range conns {
			c.pass()
		}
		synctest.Wait()
		quick := newConn()
		attach(t, h, "quick", 99, quick)
		for i := range conns {
			h.Deliver("shop", fmt.Sprint("c", i), []byte("event"), Except{})
		}
		h.Deliver("shop", "Tom", []byte("event"), Except{})
		synctest.Wait()
		check(t, "the quick one's writes", quick.wrote(), "hello event")
		for _, c := range conns {
			c.pass()
			synctest.Wait()
			check(t, "a slow one's writes", c.wrote(), "hello event")
		}
	})
}

func TestAGoodbyeThatIsStuckHoldsUpNoOther(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		oneQueue(h, 1)
		stuck, quick := newConn(), newConn()
		stuck.goodbye = make(chan struct{})
		attachMany(t, h, []*fakeConn{stuck})
		attach(t, h, "quick", 99, quick)
		h.Kick(Target{App: "shop", Client: "c0"}, "x")
		h.Deliver("shop", "Tom", []byte("event"), Except{})
		synctest.Wait()
		check(t, "the quick one's writes", quick.wrote(), "hello event")
		close(stuck.goodbye)
		synctest.Wait()
		check(t, "the stuck one", stuck.ended(), "4401 x")
	})
}

// occupy has the only writer of a hub at work for a conn until its pass is called.
func occupy(t *testing.T, h *Hub) *fakeConn {
	t.Helper()
	oneQueue(h, 1)
	conn := newSlowConn()
	conn.busy = true
	s, err := h.Attach(Login{App: "shop", Client: "busy", ID: sessionID(0), Conn: conn})
	if err != nil {
		t.Fatal(err)
	}
	go conn.pass()
	s.Answer([]byte("hello"))
	<-conn.started
	h.Deliver("shop", "busy", []byte("event"), Except{})
	<-conn.started
	return conn
}

// TestAWriterDoesNotWaitForAnAnswerThatIsStuck runs on the real clock, since a bubble
// takes who waits for a mutex to be at work.
func TestAWriterDoesNotWaitForAnAnswerThatIsStuck(t *testing.T) {
	h := New(Options{})
	slow, quick := newSlowConn(), newSlowConn()
	s, err := h.Attach(Login{App: "shop", Client: "slow", ID: sessionID(1), Conn: slow})
	if err != nil {
		t.Fatal(err)
	}
	go slow.pass()
	s.Answer([]byte("hello"))
	<-slow.started
	go quick.pass()
	attach(t, h, "quick", 99, quick)
	<-quick.started

	busy := occupy(t, h)
	h.Deliver("shop", "slow", []byte("event"), Except{})
	h.Deliver("shop", "Tom", []byte("event"), Except{})
	s.Begin()
	go s.Answer([]byte("answer"))
	<-slow.started // the answer is stuck while the session is in the queue
	busy.pass()
	select {
	case <-quick.started:
	case <-time.After(time.Minute):
		t.Error("the quick one is not written to while another's answer is stuck")
	}
	go quick.pass()
	slow.pass()
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, "the slow one's writes", slow.wrote(), "hello event+answer")
	check(t, "the quick one's writes", quick.wrote(), "hello event")
}

// TestNoMoreWritersThanTheMachineRuns has conns that are busy rather than waiting.
func TestNoMoreWritersThanTheMachineRuns(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		oneQueue(h, 2)
		conns := make([]*fakeConn, 5)
		for i := range conns {
			conns[i] = newSlowConn()
			conns[i].busy = true
		}
		attachMany(t, h, conns)
		for _, c := range conns {
			c.pass()
			<-c.started
		}
		synctest.Wait()
		for i := range conns {
			h.Deliver("shop", fmt.Sprint("c", i), []byte("event"), Except{})
		}
		for i := range conns {
			synctest.Wait()
			writing := 0
			for _, c := range conns[i:] {
				writing += len(c.started)
			}
			check(t, "conns being written to", writing, min(2, len(conns)-i))
			<-conns[i].started
			conns[i].pass()
		}
	})
}

func TestASessionIsInTheQueueOnce(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		conns := []*fakeConn{newConn(), newConn()}
		attachMany(t, h, conns)
		conn := newConn()
		s := attach(t, h, "phone", 99, conn)

		busy := occupy(t, h)
		h.Deliver("shop", "Tom", []byte("event"), Except{})
		h.Deliver("shop", "c0", []byte("event"), Except{})
		s.Begin()
		s.Answer([]byte("answer")) // writes the event too; the session stays in the queue
		h.Deliver("shop", "Tom", []byte("last"), Except{})
		h.Deliver("shop", "c1", []byte("event"), Except{})
		busy.pass()
		synctest.Wait()
		check(t, "writes", conn.wrote(), "hello event+answer last")
		for i, c := range conns {
			check(t, fmt.Sprint("writes of c", i), c.wrote(), "hello event")
		}
	})
}

func TestCloseWaitsForAWriterThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		conn := newSlowConn()
		attachMany(t, h, []*fakeConn{conn})
		conn.pass()
		synctest.Wait()
		h.Deliver("shop", "c0", []byte("event"), Except{})
		synctest.Wait()
		h.Kick(Target{App: "shop"}, "x") // it is out, and still written to
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			_ = h.Close(t.Context())
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("closed before the write ended")
		default:
		}
		conn.pass()
		<-closed
		check(t, "the session", conn.ended(), "4401 x")
	})
}

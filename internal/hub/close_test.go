package hub

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestADrainIsSpreadOverItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		const sessions = 4000
		conns := make([]*fakeConn, sessions)
		for i := range conns {
			conns[i] = newConn()
			attachLogin(t, h, Login{App: "shop", Client: fmt.Sprint("c", i), ID: sessionID(i), Conn: conns[i]})
		}
		open := func() (n int) {
			for _, c := range conns {
				if c.ended() == "open" {
					n++
				}
			}
			return n
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		closed := make(chan error)
		go func() { closed <- h.Close(ctx) }()

		time.Sleep(4 * time.Second)
		synctest.Wait()
		if n := open(); n < sessions*4/10 || n > sessions*6/10 {
			t.Errorf("half way %d of %d are open", n, sessions)
		}
		if err := <-closed; err != nil {
			t.Errorf("close: %v", err)
		}
		check(t, "open", open(), 0)
		check(t, "how they ended", conns[0].ended(), "1001 server is going away")
	})
}

func TestADrainOfFewTakesNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		attach(t, h, "phone", 1, newConn())
		attach(t, h, "desk", 2, newConn())
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		if err := h.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestADrainLetsTheCommandAtHandHaveItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		conn := newConn()
		s := attach(t, h, "phone", 1, conn)
		s.Begin()
		closed := make(chan error)
		go func() { closed <- h.Close(t.Context()) }()
		synctest.Wait()
		check(t, "while it runs", conn.ended(), "open")
		_, err := h.Attach(Login{App: "shop", Client: "Tom", ID: sessionID(2), Conn: newConn()})
		check(t, "a login meanwhile", errors.Is(err, ErrClosed), true)
		s.Answer([]byte("answer"))
		check(t, "close", <-closed, nil)
		check(t, "writes", conn.wrote(), "hello answer")
		check(t, "the session", conn.ended(), "1001 server is going away")
	})
}

func TestADrainCutsWhoeverIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		stuck := newSlowConn()
		s, err := h.Attach(Login{App: "shop", Client: "Tom", Device: "stuck", ID: sessionID(1), Conn: stuck})
		if err != nil {
			t.Fatal(err)
		}
		go s.Answer([]byte("hello"))
		busy := newConn()
		attach(t, h, "busy", 2, busy).Begin()

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err = h.Close(ctx)
		check(t, "error", errors.Is(err, context.DeadlineExceeded), true)
		check(t, "the stuck one", stuck.ended(), "1006 ")
		check(t, "the busy one", busy.ended(), "1006 ")
		check(t, "sessions", h.Sessions(), 0)
	})
}

package e2e

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

// SPEC 10: 20 sends a second a client, burst 60; REST and socket draw from one
// bucket, and a retry after Retry-After goes well.
func TestSendRate(t *testing.T) {
	t.Parallel()
	a := strict(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.group(t, one, two)
	c := a.login(t, one, "d")
	const n = 300
	for range n {
		if _, err := c.Post("msg.send", obj{"conv_id": conv, "type": -1, "text": "x"}); err != nil {
			t.Fatal(err)
		}
	}
	sent, refused := 0, 0
	for range n {
		f, err := c.take(patience, isAnswer)
		if err != nil {
			t.Fatal(err)
		}
		switch f.Code {
		case 0:
			sent++
		case 4290:
			refused++
		default:
			t.Fatalf("got %s, want success or 4290", f)
		}
	}
	if sent < 60 || refused == 0 {
		t.Errorf("%d sends at once: %d went, %d were refused; want a burst of 60 and refusals", n, sent, refused)
	}
	// By REST the same client is over the same rate.
	body := obj{"from_client": one, "type": -1, "text": "x"}
	limited := false
	for range 60 {
		got := a.s.once(t, "POST", convPath(conv, "message"), a.as(t, one), body)
		if limited = got.Code == 4290; limited {
			if s, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || s < 1 {
				t.Errorf("Retry-After: got %q, want whole seconds from 1", got.Header.Get("Retry-After"))
			}
			break
		}
	}
	if !limited {
		t.Error("60 sends by REST after the burst: none refused, want the bucket of the socket")
	}
	a.s.call(t, "POST", convPath(conv, "message"), a.as(t, two), obj{"type": -1, "text": "another client"}).want(t, "another client", 0)
	a.s.call(t, "POST", convPath(conv, "message"), a.as(t, one), body).want(t, "after a while", 0)
	if h := a.history(t, conv); len(h) < sent {
		t.Errorf("history: got %d messages, want at least %d", len(h), sent)
	}
}

// SPEC 7: a socket over the rate for 10 s is closed with 4429.
func TestFloodCloses(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("floods for 10 s")
	}
	a := strict(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	c, calm := a.login(t, one, "d"), a.login(t, two, "d")
	refused := false
	for deadline := time.Now().Add(40 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for range 10 { // some 400 a second
			if _, err := c.Post("user.get", obj{"client_id": one}); err != nil {
				break
			}
		}
		for {
			f, err := c.take(time.Millisecond, isAnswer)
			if err != nil {
				if errors.Is(err, testclient.ErrClosed) {
					deadline = time.Now()
				}
				break
			}
			refused = refused || f.Code == 4290
		}
	}
	if !refused {
		t.Error("400 commands a second: none was answered 4290")
	}
	c.closed(t, 4429)
	calm.open(t)
}

package e2e

import (
	"strconv"
	"testing"
)

// 20 sends a second a client, burst 60; REST and socket draw from one
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
	by := a.as(t, one)
	limited := refusesSome(64, 4290, func() int {
		got := a.s.once(t, "POST", convPath(conv, "message"), by, body)
		if s, err := strconv.Atoi(got.Header.Get("Retry-After")); got.Code == 4290 && (err != nil || s < 1) {
			t.Errorf("Retry-After: got %q, want whole seconds from 1", got.Header.Get("Retry-After"))
		}
		return got.Code
	})
	if !limited {
		t.Error("60 sends by REST after the burst: none refused, want the bucket of the socket")
	}
	a.s.call(t, "POST", convPath(conv, "message"), a.as(t, two), obj{"type": -1, "text": "another client"}).want(t, "another client", 0)
	a.s.call(t, "POST", convPath(conv, "message"), a.as(t, one), body).want(t, "after a while", 0)
	if h := a.history(t, conv); len(h) < sent {
		t.Errorf("history: got %d messages, want at least %d", len(h), sent)
	}
}

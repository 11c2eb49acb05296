package e2e

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

// SPEC 10: 500 REST calls a second an app key. It runs beside no other test, so that a
// slow machine makes as many.
func TestRESTRate(t *testing.T) {
	a, calm := strict(t), strict(t)
	var calls, refused atomic.Int64
	stop := time.Now().Add(4 * time.Second)
	var calling sync.WaitGroup
	for range 8 {
		calling.Go(func() {
			for time.Now().Before(stop) && refused.Load() == 0 {
				got, err := a.s.try("GET", "/im/users?size=1", a.server(), nil)
				if err != nil {
					t.Errorf("call: %v", err)
					return
				}
				if calls.Add(1); got.Code == 4290 {
					refused.Add(1)
				}
			}
		})
	}
	calling.Wait()
	if refused.Load() == 0 {
		if calls.Load() < 4*700 {
			t.Skipf("this machine made %d calls in 4 s: too slow to be refused", calls.Load())
		}
		t.Errorf("%d calls in 4 s with one key: none refused", calls.Load())
	}
	if got := calm.s.once(t, "GET", "/im/users", calm.server(), nil); got.Status != http.StatusOK {
		t.Errorf("another app's key: got %s, want 200", got)
	}
}

// SPEC 10: the demo app has no rate limits.
func TestDemoAppHasNoRates(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	conv := a.group(t, one)
	c := a.login(t, one, "d")
	for range 300 {
		if _, err := c.Post("msg.send", obj{"conv_id": conv, "type": -1, "text": "x"}); err != nil {
			t.Fatal(err)
		}
	}
	for range 300 {
		if f, err := c.take(patience, isAnswer); err != nil || f.Code != 0 {
			t.Fatalf("got %v, %v, want 300 successes", f, err)
		}
	}
}

// What one call does in many conversations, or tells of many users, counts as several
// messages of the client.
func TestCallsAboutManyThingsPayForThem(t *testing.T) {
	t.Parallel()
	a := newApp(t, start(t, withoutDev()), "shop", "--send-rate=1", "--send-burst=40")
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	receipts, ids := make([]obj, 100), make([]string, 200)
	for i := range receipts {
		receipts[i] = obj{"conv_id": unique("conv")}
	}
	for i := range ids {
		ids[i] = "n" + strconv.Itoa(i)
	}
	for _, tt := range []struct {
		op, path string
		body     obj
		allowed  int
	}{
		{"conv.received_many", "/im/users/$U/received", obj{"receipts": receipts}, 4},
		{"user.get_many", "/im/users/get_many", obj{"client_ids": ids}, 10},
	} {
		client := a.user(t, "one")
		path := strings.ReplaceAll(tt.path, "$U", client)
		for range tt.allowed {
			a.s.once(t, "POST", path, a.as(t, client), tt.body).want(t, tt.op, 0)
		}
		a.s.once(t, "POST", path, a.as(t, client), tt.body).want(t, tt.op+" once more", 4290)
		a.must(t, "POST", path, tt.body) // the backend has no such rate
	}
	var conv string
	for range 200 {
		conv = a.group(t, jerry, tom)
		a.send(t, conv, jerry, "hi")
	}
	if got := a.s.once(t, "POST", userPath(tom, "read"), a.as(t, tom), nil).want(t, "conv.read_all", 0); got.number("conversations") != 200 {
		t.Errorf("conv.read_all: got %s, want 200 conversations", got)
	}
	sent := 0
	for sent < 40 && a.s.once(t, "POST", convPath(conv, "message"), a.as(t, tom), obj{"type": -1, "text": "x"}).Code == 0 {
		sent++
	}
	if sent == 40 {
		t.Error("after conv.read_all of 200 conversations a burst of sends went as if nothing had been")
	}
}

package e2e

import (
	"fmt"
	"sync"
	"testing"
)

// After kill -9 no acked message is lost, seq is dense and a retry is no second message.
func TestKillLosesNoAck(t *testing.T) {
	t.Parallel()
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	killLosesNoAck(t, start(t), rounds)
}

// killLosesNoAck kills and restarts the server in each round while clients send.
func killLosesNoAck(t *testing.T, s *server, rounds int) {
	t.Helper()
	a := demoApp(s)
	senders := []string{"Tom", "Jerry", "Alex", "Iron"}
	convs := []string{a.group(t, "Tom", senders...), a.group(t, "Jerry", senders...)}
	l := newLedger()
	var made []string // conversations whose creation was acked under load
	for round := range rounds {
		var running sync.WaitGroup
		for i, from := range senders {
			running.Go(func() { l.bySocket(a, from, fmt.Sprint("device", i), convs) })
		}
		stop := make(chan struct{})
		for range 2 {
			running.Go(func() { l.byREST(a, "Tom", convs, stop) })
		}
		running.Go(func() {
			for {
				ans, _ := a.s.try("POST", "/im/conversations", a.server(), map[string]any{
					"client_id": "1", "to_client_ids": []string{"2"}, "conv_type": 3,
				})
				if ans == nil {
					return
				}
				made = append(made, ans.text("conv_id"))
			}
		})
		// Every round ends at another place of the load.
		target := l.acks.Load() + int64(150+97*round)
		eventually(t, fmt.Sprintf("%d acks", target), func() bool { return l.acks.Load() >= target })
		s.Kill(t)
		close(stop)
		running.Wait()

		s.Restart(t)
		l.retry(t, a)
		l.check(t, a, convs)
		for _, conv := range made {
			a.call(t, "GET", convPath(conv), nil).want(t, "an acked conversation after SIGKILL", 0)
		}
		made = nil
		acked, open := l.counts()
		t.Logf("round %d: %d acked, %d without an ack", round+1, acked, open)
		if open == 0 {
			t.Logf("round %d: the kill met no send under way", round+1)
		}
	}
	s.Stop(t)
	s.Restart(t)
	l.check(t, a, convs)
}

// What the other calls have answered is durable as well.
func TestKillLosesNoStateThatWasAnswered(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	user, banned := a.user(t, "kept"), a.user(t, "banned")
	conv := a.group(t, user, banned)
	a.must(t, "POST", userPath(banned, "ban"), map[string]any{})
	a.must(t, "PUT", "/im/conversations", map[string]any{
		"where": [][]any{{"conv_id", "=", conv}}, "update": map[string]any{"conv_extend": map[string]any{"a": 1}},
	})
	a.must(t, "POST", convPath(conv, "members"), map[string]any{"client_ids": []string{"Tom"}})
	gone := a.group(t, user)
	a.must(t, "DELETE", convPath(gone), nil)
	sent := a.send(t, conv, user, "kept")
	var link string
	s.upload(t, a.server(), multipartFile{"file", "a.png", realPNG(t)}).want(t, "upload", 0).into(t, &link)

	s.Kill(t)
	s.Restart(t)

	a.call(t, "POST", convPath(conv, "message"), map[string]any{"from_client": banned, "type": -1, "text": "x"}).want(t, "send of a banned client", 213)
	c := a.must(t, "GET", convPath(conv), nil)
	if got := jsonOf(c.field("conv_extend")); got != `{"a":1}` {
		t.Errorf("conv_extend: got %s", got)
	}
	if c.number("client_num") != 3 {
		t.Errorf("client_num: got %s, want 3", c)
	}
	a.call(t, "GET", convPath(gone), nil).want(t, "deleted conversation", 4011)
	if h := a.history(t, conv); len(h) != 1 || h[0].MsgID != sent.text("msg_id") {
		t.Errorf("history: got %+v, want %s alone", h, sent)
	}
	if res, body := fetch(t, link, nil); res.StatusCode != 200 || string(body) != string(realPNG(t)) {
		t.Errorf("GET %s: got %s, %d bytes", link, res.Status, len(body))
	}
}

package e2e

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Under load, a message sent after the answer to an add reaches the new member. One sent after the
// answer to a remove does not reach the removed member, who cannot read the history either.
func TestMembershipHoldsFromItsAnswerOn(t *testing.T) {
	t.Parallel()
	a := strict(t)
	owner, guest := a.user(t, "owner"), a.user(t, "guest")
	conv := a.group(t, owner)
	noise := a.user(t, "noise")
	a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{noise}})
	c := a.login(t, guest, "d")
	var stop atomic.Bool
	var running sync.WaitGroup
	running.Go(func() {
		for !stop.Load() {
			if _, err := a.s.try("POST", convPath(conv, "message"), a.server(), obj{"from_client": noise, "type": -1, "text": "noise"}); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(2 * time.Millisecond) // a rate, not a wait
		}
	})
	defer func() { stop.Store(true); running.Wait() }()
	for round := range 30 {
		in, out := fmt.Sprint("in ", round), fmt.Sprint("out ", round)
		a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{guest}})
		a.send(t, conv, owner, in)
		c.expectText(t, in)
		a.s.call(t, "GET", convPath(conv, "message?size=1"), a.as(t, guest), nil).want(t, "history of a member", 0)
		a.must(t, "DELETE", convPath(conv, "members"), obj{"client_ids": []string{guest}})
		first := a.send(t, conv, owner, out).number("seq")
		a.s.call(t, "GET", convPath(conv, "message?size=1"), a.as(t, guest), nil).want(t, "history after the removal", 4004)
		c.ask(t, "msg.list", obj{"conv_id": conv}).want(t, "history after the removal by socket", 4004)
		c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "x"}).want(t, "send after the removal", 4004)
		for _, f := range c.pending() {
			if f.Type == "msg.new" && f.message(t).Seq >= first {
				t.Fatalf("round %d: a removed member got %s", round, f)
			}
		}
		c.forget()
	}
}

// After the answer to a delete no send goes through, however many are under way,
// and nobody is told of messages after it.
func TestDeletedConversationTakesNothing(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	for range 10 {
		conv := a.group(t, one, two)
		var deleted atomic.Bool
		var sending sync.WaitGroup
		for range 4 {
			sending.Go(func() {
				for range 200 {
					after := deleted.Load()
					got, err := a.s.try("POST", convPath(conv, "message"), a.server(), obj{"from_client": one, "type": -1, "text": "x"})
					if err != nil || got.Code != 0 && got.Code != 4011 {
						t.Errorf("send: %v %v", got, err)
						return
					}
					if after && got.Code == 0 {
						t.Errorf("a send after the delete: got %s, want 4011", got)
					}
					if got.Code == 4011 {
						return
					}
				}
			})
		}
		time.Sleep(time.Millisecond) // some luck for the sends; nothing depends on it
		a.must(t, "DELETE", convPath(conv), nil)
		deleted.Store(true)
		sending.Wait()
		a.call(t, "GET", convPath(conv, "message"), nil).want(t, "history", 4011)
	}
}

// Settings of an app on who sees and who invites.
func TestMembershipSettings(t *testing.T) {
	t.Parallel()
	s := strictServer.get(t)
	a := newApp(t, s, unique("closed"), "--private-history", "on", "--members-may-invite", "on", "--max-members", "4", "--max-devices", "2")
	eventually(t, "the app is known", func() bool { return s.once(t, "GET", "/im/users", a.server(), nil).Code == 0 })
	ids := a.users(t, 6)
	owner, member, late := ids[0], ids[1], ids[2]
	conv := a.group(t, owner, member)
	var before []string
	for i := range 5 {
		before = append(before, a.send(t, conv, owner, fmt.Sprint("before ", i)).text("msg_id"))
	}
	s.call(t, "POST", convPath(conv, "members"), a.as(t, member), obj{"client_ids": []string{late}}).want(t, "a member invites", 0)
	a.send(t, conv, owner, "after")

	// What was said before it joined is closed to the late one, by every way in.
	h := a.as(t, late)
	for _, q := range []string{"", "?page=1&size=100", "?page=2&size=3", "?after_seq=0", "?after_seq=2&limit=2", "?before_seq=6", "?before_seq=100", "?before_seq=3"} {
		got := s.call(t, "GET", convPath(conv, "message"+q), h, nil).want(t, "history "+q, 0)
		if strings.Contains(string(got.Raw), "before ") {
			t.Errorf("history %q of one who joined later: got %s", q, got)
		}
	}
	for _, id := range before {
		s.call(t, "GET", convPath(conv, "message", id), h, nil).want(t, "a message of before", 4012, 4004)
	}
	if got := s.call(t, "GET", convPath(conv, "message"), h, nil); !strings.Contains(string(got.Raw), `"after"`) {
		t.Errorf("history of one who joined later: got %s, want what came after", got)
	}
	got := s.call(t, "POST", convPath(conv, "message"), h, obj{"type": -1, "text": "reply", "reply_to": before[0]})
	if got.Code == 0 && strings.Contains(string(got.Raw), "before ") {
		t.Errorf("reply to what one cannot see: got %s", got)
	}
	if got := s.call(t, "GET", convPath(conv, "message?size=100"), a.as(t, member), nil); !strings.Contains(string(got.Raw), "before 0") {
		t.Errorf("history of one who was there: got %s", got)
	}

	// Limits of the app.
	a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{ids[3]}})
	if got := a.call(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{ids[4]}}); got.Code == 0 {
		t.Errorf("a fifth member of four: got %s, want it refused", got)
	}
	a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{ids[3], owner}}) // members already
	if got := a.call(t, "POST", "/im/conversations", obj{"client_id": owner, "to_client_ids": ids[1:], "conv_type": 3}); got.Code == 0 {
		t.Errorf("a group of six, of four: got %s, want it refused", got)
	}
	if got := a.must(t, "GET", convPath(conv), nil).number("client_num"); got != 4 {
		t.Errorf("client_num: got %d, want 4", got)
	}
	d1, d2 := a.login(t, owner, "d1"), a.login(t, owner, "d2")
	a.login(t, owner, "d3")
	d1.closed(t, 4401)
	d2.open(t)
}

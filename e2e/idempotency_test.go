package e2e

import (
	"sync"
	"testing"
)

// A retry is not a second message, from REST and socket alike, also at
// the same moment.
func TestRetryIsNotASecondMessage(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv, other := a.group(t, one, two), a.group(t, one, two)
	sockets := []*socket{a.login(t, one, "d1"), a.login(t, one, "d2")}
	reader := a.login(t, two, "d")
	key := unique("key")
	body := obj{"conv_id": conv, "from_client": one, "type": -1, "text": "once", "client_msg_id": key}

	var mu sync.Mutex
	seen := map[string]int{}
	var sending sync.WaitGroup
	for i := range 60 {
		sending.Go(func() {
			var ans *answer
			var err error
			if i%3 == 0 {
				ans, err = sockets[i%2].try("msg.send", body)
			} else {
				ans, err = a.s.try("POST", convPath(conv, "message"), a.server(), body)
			}
			if err != nil || ans.Code != 0 {
				t.Errorf("send: %v %v", ans, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			seen[jsonOf([]any{ans.field("msg_id"), ans.field("seq"), ans.field("time")})]++
		})
	}
	sending.Wait()
	if len(seen) != 1 {
		t.Errorf("answers to one client_msg_id: got %v, want all the same", seen)
	}
	if h := a.history(t, conv); len(h) != 1 || h[0].clientMsgID() != key {
		t.Errorf("history: got %+v, want one message", h)
	}
	reader.expect(t, "msg.new")
	reader.nothing(t, "msg.new") // not pushed again

	// Another content is a conflict, by either way; another sender or another
	// conversation may use the id for itself.
	changed := obj{"conv_id": conv, "from_client": one, "type": -1, "text": "other", "client_msg_id": key}
	a.call(t, "POST", convPath(conv, "message"), changed).want(t, "the id with another text by REST", 4013)
	sockets[0].ask(t, "msg.send", changed).want(t, "the id with another text by socket", 4013)
	if got := a.must(t, "POST", convPath(conv, "message"), obj{"from_client": two, "type": -1, "text": "mine", "client_msg_id": key}).number("seq"); got != 2 {
		t.Errorf("the same id from another client: got seq %d, want 2", got)
	}
	if got := a.must(t, "POST", convPath(other, "message"), obj{"from_client": one, "type": -1, "text": "there", "client_msg_id": key}).number("seq"); got != 1 {
		t.Errorf("the same id in another conversation: got seq %d, want 1", got)
	}
	if h := a.history(t, conv); len(h) != 2 {
		t.Errorf("history: got %+v, want two messages", h)
	}

	// Another no_sync is the same message; so is a retry of one removed since.
	body["no_sync"] = 1
	a.call(t, "POST", convPath(conv, "message"), body).want(t, "the id with another no_sync", 0)
	a.must(t, "DELETE", convPath(conv, "members"), obj{"client_ids": []string{one}})
	if got := sockets[0].ask(t, "msg.send", body).want(t, "a retry of one who was removed since", 0); got.number("seq") != 1 {
		t.Errorf("a retry of one who was removed since: got %s, want seq 1", got)
	}
	body["client_msg_id"] = unique("key")
	sockets[0].ask(t, "msg.send", body).want(t, "a new message of one who was removed", 4004)
}

// Many senders at once: every answer has its own seq, dense, and what the answer
// said is what the history says.
func TestSeqIsDenseUnderConcurrentSenders(t *testing.T) {
	t.Parallel()
	a := dev(t)
	senders := a.users(t, 8)
	conv := a.group(t, senders[0], senders[1:]...)
	const each = 40
	var mu sync.Mutex
	bySeq := map[int64]string{}
	var sending sync.WaitGroup
	for i, from := range senders {
		c := a.login(t, from, "d")
		sending.Go(func() {
			for range each {
				body := obj{"conv_id": conv, "from_client": from, "type": -1, "text": "x"}
				var ans *answer
				var err error
				if i%2 == 0 {
					ans, err = c.try("msg.send", body)
				} else {
					ans, err = a.s.try("POST", convPath(conv, "message"), a.server(), body)
				}
				if err != nil || ans.Code != 0 {
					t.Errorf("send: %v %v", ans, err)
					return
				}
				mu.Lock()
				if first := bySeq[ans.number("seq")]; first != "" {
					t.Errorf("seq %d given to %s and to %s", ans.number("seq"), first, ans.text("msg_id"))
				}
				bySeq[ans.number("seq")] = ans.text("msg_id")
				mu.Unlock()
			}
		})
	}
	sending.Wait()
	h := a.history(t, conv)
	if len(h) != each*len(senders) {
		t.Errorf("history: got %d messages, want %d", len(h), each*len(senders))
	}
	for _, m := range h {
		if bySeq[m.Seq] != m.MsgID {
			t.Errorf("seq %d: stored %s, answered %s", m.Seq, m.MsgID, bySeq[m.Seq])
		}
	}
}

package e2e

import (
	"sync"
	"testing"
)

// SPEC 8.4: a retry is not a second message, from REST and socket alike, also at
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

// One commit takes whatever waits: a send that fails must not take its neighbours
// with it, nor a number.
func TestFailingSendsLeaveTheirNeighboursAlone(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv, closed := a.group(t, one, two), a.group(t, two)
	used := unique("key")
	a.must(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": "first", "client_msg_id": used})
	c := a.login(t, one, "d")
	kinds := []struct {
		data obj
		code int
	}{
		{obj{"conv_id": conv, "type": -1, "text": "good"}, 0},
		{obj{"conv_id": conv, "type": -1, "text": "other", "client_msg_id": used}, 4013},
		{obj{"conv_id": closed, "type": -1, "text": "x"}, 4004},
		{obj{"conv_id": conv, "type": -1, "text": "first", "client_msg_id": used}, 0}, // a retry
		{obj{"conv_id": "00000000000000000000000000000000", "type": -1, "text": "x"}, 4011},
		{obj{"conv_id": conv, "type": -1, "text": "good", "reply_to": "00000000000000000000000000000001"}, 4012},
		{obj{"conv_id": conv, "type": -1, "text": "  "}, 4001},
	}
	const n = 210
	want := map[string]int{}
	for i := range n {
		k := kinds[i%len(kinds)]
		id, err := c.Post("msg.send", k.data)
		if err != nil {
			t.Fatal(err)
		}
		want[id] = k.code
	}
	good := map[int64]bool{}
	for range n {
		f, err := c.take(patience, isAnswer)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAnswer("msg.send", f)
		if err != nil {
			t.Error(err)
		}
		if got.Code != want[*f.ID] {
			t.Errorf("send %s: got %s, want code %d", *f.ID, f, want[*f.ID])
		}
		if got.Code == 0 {
			good[got.number("seq")] = true
		}
	}
	if h := a.history(t, conv); len(h) != 1+n/len(kinds) || len(good) != len(h) {
		t.Errorf("history: got %d messages, %d seqs answered, want %d", len(h), len(good), 1+n/len(kinds))
	}
	if h := a.history(t, closed); len(h) != 0 {
		t.Errorf("history of a group that it is not in: got %+v", h)
	}
}

// An empty client_msg_id is none: two messages are two.
func TestEmptyClientMsgIDIsNone(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	conv := a.group(t, one)
	for _, key := range []any{"", "", nil, nil} {
		got := a.call(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": "same", "client_msg_id": key})
		if key == "" && got.Code == 4406 {
			return // refused is as good
		}
		got.want(t, "send", 0)
	}
	if h := a.history(t, conv); len(h) != 4 || h[0].ClientMsgID != nil {
		t.Errorf("history: got %+v, want four messages without a client_msg_id", h)
	}
}

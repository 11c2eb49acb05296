package e2e

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
)

// What a client pipelines stands in the order in which it said it, also where the rate
// refuses some of it: never a later message before an earlier one.
func TestPipelinedSendsStandInTheirOrder(t *testing.T) {
	t.Parallel()
	a := strict(t)
	one := a.user(t, "one")
	conv := a.group(t, one, a.user(t, "two"))
	c := a.login(t, one, "d")
	const n = 75
	left := make([]int, n)
	for i := range left {
		left[i] = i
	}
	send := func(i int) obj {
		return obj{"conv_id": conv, "type": -1, "text": strconv.Itoa(i), "client_msg_id": fmt.Sprint("m", i)}
	}
	for round := 0; len(left) > 0; round++ {
		c.ask(t, "msg.send", send(left[0])).want(t, "the first that was refused, until it is taken", 0)
		left = left[1:]
		asked := map[string]int{}
		for _, i := range left {
			id, err := c.Post("msg.send", send(i))
			if err != nil {
				t.Fatal(err)
			}
			asked[id] = i
		}
		var refused []int
		for range asked {
			f, err := c.take(patience, isAnswer)
			if err != nil {
				t.Fatal(err)
			}
			switch i := asked[*f.ID]; {
			case f.Code == 4290:
				refused = append(refused, i)
			case f.Code != 0:
				t.Fatalf("got %s, want success or 4290", f)
			case len(refused) > 0:
				t.Fatalf("round %d: message %d was stored behind the refused %d", round, i, refused[0])
			}
		}
		left = refused
	}
	for i, m := range a.history(t, conv) {
		if m.text() != strconv.Itoa(i) && m.text() != strconv.Itoa(n-1-i) {
			t.Fatalf("place %d: got %q", i, m.text())
		}
	}
}

// Behind a send that was refused only its own conversation is held: another goes on as
// soon as the rate lets it.
func TestARefusedSendHoldsItsConversationAlone(t *testing.T) {
	t.Parallel()
	a := newApp(t, strictServer.get(t), unique("holds"), "--send-rate", "5", "--send-burst", "1", "--command-rate=-1")
	eventually(t, "the app is known", func() bool { return a.s.once(t, "GET", "/im/users", a.server(), nil).Code == 0 })
	one := a.user(t, "one")
	first, second := a.group(t, one), a.group(t, one)
	c := a.login(t, one, "d")
	send := func(conv string, i int) string {
		id, err := c.Post("msg.send", obj{"conv_id": conv, "type": -1, "text": "x", "client_msg_id": fmt.Sprint(conv, i)[20:]})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	answer := func(id string) *frame {
		f, err := c.take(patience, func(f *frame) bool { return isAnswer(f) && *f.ID == id })
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	var refused *frame
	for i := 0; refused == nil; i++ { // a token may have come meanwhile
		if f := answer(send(first, i)); f.Code == 4290 {
			refused = f
		}
	}
	const token = 200 // ms
	f := answer(send(second, 0))
	var wait struct {
		RetryAfter int64 `json:"retry_after_ms"`
	}
	if err := json.Unmarshal(f.Raw, &wait); err != nil {
		t.Fatal(err)
	}
	if f.Code == 4290 && wait.RetryAfter > token {
		t.Errorf("another conversation: got %s, want it to wait for a token at most (%d ms)", f, token)
	}
	for f.Code == 4290 {
		f = answer(send(second, 0))
	}
	if f.Code != 0 {
		t.Errorf("another conversation: got %s", f)
	}
	if got := c.ask(t, "conv.get", obj{"conv_id": first}); got.Code != 0 {
		t.Errorf("another command: got %s", got)
	}
}

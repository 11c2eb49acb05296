package e2e

import (
	"fmt"
	"testing"
)

// The fields of a message that was sent with everything, in list, get and push.
func TestMessageFields(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.group(t, one, two)
	first := a.send(t, conv, two, "first").text("msg_id")
	c := a.login(t, two, "d")
	key := unique("key")
	sent := a.must(t, "POST", convPath(conv, "message"), obj{
		"from_client": one, "type": -2, "text": "look", "url": "http://x/y.png", "attr": obj{"w": 16}, "mention_all": 1, "no_sync": "1",
		"mention_client_ids": []string{two}, "client_msg_id": key, "reply_to": first,
	})
	push := c.expect(t, "msg.new")
	want := obj{
		"msg_id": sent.text("msg_id"), "conv_id": conv, "type": -2, "text": "look", "url": "http://x/y.png", "attr": obj{"w": 16},
		"mention_all": 1, "mention_client_ids": []string{two}, "transient": 0, "client_msg_id": key, "reply_to": first, "seq": 2, "ctime": sent.number("time"),
	}
	hold := func(what string, raw []byte, more obj) {
		t.Helper()
		got, _ := decode(t, raw).(map[string]any)
		for k, v := range want {
			if k == "ctime" && got[k] != nil {
				continue // when it was accepted; the answer's time may be a moment later
			}
			if jsonOf(got[k]) != jsonOf(v) {
				t.Errorf("%s: %s is %s, want %s", what, k, jsonOf(got[k]), jsonOf(v))
			}
		}
		for k, v := range more {
			if g, there := got[k]; !there || jsonOf(g) != jsonOf(v) {
				t.Errorf("%s: %s is %s, want %s", what, k, jsonOf(got[k]), jsonOf(v))
			}
		}
	}
	hold("push", push.Data, obj{"from_client": one, "conv_type": 3})
	hold("msg.get", a.must(t, "GET", convPath(conv, "message", sent.text("msg_id")), nil).Data, obj{"client_id": one, "no_sync": 1, "msg_status": 1, "mtime": nil})
	var p struct {
		Data []map[string]any `json:"data"`
	}
	a.must(t, "GET", convPath(conv, "message?size=1"), nil).into(t, &p)
	hold("msg.list", []byte(jsonOf(p.Data[0])), obj{"client_id": one, "no_sync": 1, "msg_status": 1, "mtime": nil})
	// A plain text: what is absent is null.
	plain := a.send(t, conv, one, "plain")
	got, _ := decode(t, a.must(t, "GET", convPath(conv, "message", plain.text("msg_id")), nil).Data).(map[string]any)
	for _, k := range []string{"attr", "url", "mention_client_ids", "client_msg_id", "reply_to", "mtime"} {
		if v, there := got[k]; !there || v != nil {
			t.Errorf("a plain text: %s is %v (there: %v), want null", k, v, there)
		}
	}
}

// A temporary conversation is gone ttl seconds after its last message.
func TestTemporaryConversationEnds(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.must(t, "POST", "/im/conversations", obj{"client_id": one, "to_client_ids": []string{two}, "conv_type": 2, "ttl": 2}).text("conv_id")
	kept := a.conv(t, 2, one, two)
	a.must(t, "GET", convPath(conv), nil)
	eventually(t, "the end of a temporary conversation", func() bool { return a.call(t, "GET", convPath(conv), nil).Code == 4011 })
	a.call(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": "x"}).want(t, "send after the end", 4011)
	if got := a.must(t, "GET", where(fmt.Sprintf(`[["client_id","=",%q]]`, one)), nil); got.number("total") != 1 {
		t.Errorf("conversations after the end: got %s, want %s alone", got, kept)
	}
}

package e2e

import (
	"encoding/json"
	"testing"
)

// sameRanges asserts that msg.ranges answers what msg.list and changes do.
func (k *talk) sameRanges(t *testing.T) {
	t.Helper()
	h := k.a.as(t, k.iron)
	var history, log struct {
		Data json.RawMessage `json:"data"`
	}
	k.a.s.call(t, "GET", convPath(k.conv, "message?after_seq=0&limit=200"), h, nil).into(t, &history)
	k.a.s.call(t, "GET", convPath(k.conv, "changes?limit=200"), h, nil).into(t, &log)
	list := []obj{{"conv_id": k.conv, "after_seq": 0, "after_change": 0, "limit": 200}}
	for name, body := range map[string]any{"in an object": obj{"ranges": list}, "bare": list} {
		var got []struct {
			Data    json.RawMessage `json:"data"`
			Changes json.RawMessage `json:"changes"`
		}
		k.a.s.call(t, "POST", "/im/messages/ranges", h, body).want(t, "ranges "+name, 0).into(t, &got)
		if len(got) != 1 || string(got[0].Data) != string(history.Data) || string(got[0].Changes) != string(log.Data) {
			t.Errorf("ranges %s: got %s and %s, want %s and %s", name, got[0].Data, got[0].Changes, history.Data, log.Data)
		}
	}
}

// Who is taken out sees no more of it, live or by asking.
func TestChangesEndWithTheMembership(t *testing.T) {
	t.Parallel()
	k := newTalk(t, strict(t))
	id := k.say(t, "hi")
	alex := k.sockets[k.alex]
	k.a.s.call(t, "DELETE", convPath(k.conv, "message", id), k.a.as(t, k.alex), nil).want(t, "delete for me", 0)
	alex.expect(t, "msg.updated")
	k.a.must(t, "DELETE", convPath(k.conv, "members"), obj{"client_ids": []string{k.alex}})
	k.a.must(t, "PUT", convPath(k.conv, "message", id), obj{"text": "after"})
	k.sockets[k.tom].expect(t, "msg.updated")
	alex.nothing(t, "msg.updated")
	for op, in := range map[string]obj{
		"changes": {}, "msg.pins": {}, "msg.edit": {"text": "x"}, "msg.recall": {}, "msg.delete": {}, "msg.react": {"emoji": "x"}, "msg.pin": {},
	} {
		for name, do := range ways {
			do(t, k, k.alex, op, k.fields(id, in)).want(t, op+" by "+name, 4004)
		}
	}
}

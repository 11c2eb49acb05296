package e2e

import (
	"fmt"
	"testing"
)

// mentioning is whom a message mentions.
type mentioning struct {
	MentionAll       int      `json:"mention_all"`
	MentionClientIDs []string `json:"mention_client_ids"`
	Version          int      `json:"version"`
}

func (m mentioning) String() string {
	return fmt.Sprint(m.MentionAll, " ", m.MentionClientIDs, " v", m.Version)
}

func TestAnEditAltersWhomAMessageMentions(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry, alex := a.user(t, "tom"), a.user(t, "jerry"), a.user(t, "alex")
	conv := a.group(t, tom, jerry, alex)
	send := obj{"conv_id": conv, "type": -1, "text": "hi", "client_msg_id": "once", "mention_client_ids": []string{jerry}}
	c, seen := a.login(t, tom, "d"), a.login(t, jerry, "d")
	id := c.ask(t, "msg.send", send).want(t, "send", 0).text("msg_id")
	path := convPath(conv, "message", id)
	changes := 0
	for i, step := range []struct {
		edit        obj
		want        string
		jerry, alex int64
		same        bool // it says so already
	}{
		{obj{"mention_client_ids": []string{alex}}, fmt.Sprintf("0 [%s] v2", alex), 0, 1, false},
		{obj{"mention_client_ids": []string{jerry, alex, jerry}}, fmt.Sprintf("0 [%s %s] v3", jerry, alex), 1, 1, false},
		{obj{"mention_client_ids": []string{alex, jerry}}, fmt.Sprintf("0 [%s %s] v3", jerry, alex), 1, 1, true},
		{obj{"text": "ho"}, fmt.Sprintf("0 [%s %s] v4", jerry, alex), 1, 1, false},
		{obj{"mention_client_ids": nil, "mention_all": 1}, "1 [] v5", 1, 1, false},
		{obj{"mention_all": 1}, "1 [] v5", 1, 1, true},
		{obj{"attr": obj{"a": 1}, "mention_all": nil}, "1 [] v6", 1, 1, false},
		{obj{"mention_all": 0, "mention_client_ids": []string{jerry}}, fmt.Sprintf("0 [%s] v7", jerry), 1, 0, false},
		{obj{"mention_client_ids": []string{}}, "0 [] v8", 0, 0, false},
		{obj{"mention_client_ids": []string{jerry, alex}, "text": "who?"}, fmt.Sprintf("0 [%s %s] v9", jerry, alex), 1, 1, false},
	} {
		what := jsonOf(step.edit)
		var got mentioning
		if i%2 == 0 {
			a.s.call(t, "PUT", path, a.as(t, tom), step.edit).want(t, what, 0).into(t, &got)
		} else {
			step.edit["conv_id"], step.edit["msg_id"] = conv, id
			c.ask(t, "msg.edit", step.edit).want(t, what, 0).into(t, &got)
		}
		var kept mentioning
		a.must(t, "GET", path, nil).into(t, &kept)
		var retried mentioning
		a.must(t, "GET", convPath(conv, "message", c.ask(t, "msg.send", send).want(t, what+": the send again", 0).text("msg_id")), nil).into(t, &retried)
		for where, m := range map[string]mentioning{"answered": got, "kept": kept, "of the retry": retried} {
			if m.String() != step.want {
				t.Errorf("%s: %s: got %s, want %s", what, where, m, step.want)
			}
		}
		for client, want := range map[string]int64{jerry: step.jerry, alex: step.alex, tom: 0} {
			if got := a.view(t, client, conv).Mentions; got != want {
				t.Errorf("%s: mentions of %s: got %d, want %d", what, client, got, want)
			}
		}
		if step.same {
			seen.nothing(t, "msg.updated")
			continue
		}
		changes++
		var told struct {
			ChangeSeq int        `json:"change_seq"`
			Kind      string     `json:"kind"`
			Message   mentioning `json:"message"`
		}
		seen.expect(t, "msg.updated").into(t, &told)
		if told.ChangeSeq != changes || told.Kind != "edit" || told.Message.String() != step.want {
			t.Errorf("%s: told %+v, want change %d to %s", what, told, changes, step.want)
		}
	}
	var log struct {
		Data []struct {
			Message mentioning `json:"message"`
		} `json:"data"`
	}
	a.s.call(t, "GET", convPath(conv, "changes"), a.as(t, alex), nil).want(t, "changes", 0).into(t, &log)
	if len(log.Data) != changes || log.Data[0].Message.String() != fmt.Sprintf("0 [%s %s] v9", jerry, alex) {
		t.Errorf("changes: got %+v, want %d, each with the message as it is", log, changes)
	}
	a.read(t, jerry, conv, nil)
	a.must(t, "PUT", path, obj{"mention_all": 1})
	for client, want := range map[string]int64{jerry: 0, alex: 1} {
		if got := a.view(t, client, conv).Mentions; got != want {
			t.Errorf("read by Jerry, then all are mentioned: mentions of %s: got %d, want %d", client, got, want)
		}
	}
	send["mention_client_ids"], send["mention_all"] = nil, 1 // as it is now, but not as it was sent
	c.ask(t, "msg.send", send).want(t, "another send with the id", 4013)
	seen.ask(t, "msg.edit", obj{"conv_id": conv, "msg_id": id, "mention_all": 0}).want(t, "an edit of another's", 4004)
}

func TestAnEditMentionsEveryoneOnlyWhereASendMay(t *testing.T) {
	t.Parallel()
	a := newApp(t, start(t, withoutDev()), "shop", "--members-may-mention-all", "off")
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.group(t, tom, jerry)
	edit := func(client, id string, fields obj) *answer {
		t.Helper()
		return a.s.call(t, "PUT", convPath(conv, "message", id), a.as(t, client), fields)
	}
	toms, jerrys := a.send(t, conv, tom, "hi").text("msg_id"), a.send(t, conv, jerry, "hi").text("msg_id")
	edit(tom, toms, obj{"mention_all": 1}).want(t, "by the owner", 0)
	edit(jerry, jerrys, obj{"mention_all": 1, "text": "all"}).want(t, "by a member", 4004)
	if got := a.must(t, "GET", convPath(conv, "message", jerrys), nil); got.text("text") != "hi" || got.number("version") != 1 {
		t.Errorf("refused: got %s, want it as it was", got)
	}
	edit(jerry, jerrys, obj{"mention_all": 0, "mention_client_ids": []string{tom}}).want(t, "others by name", 0)
	a.must(t, "PUT", convPath(conv, "message", jerrys), obj{"mention_all": 1})
	edit(jerry, jerrys, obj{"mention_all": 1, "text": "what the backend added stays"}).want(t, "as it is", 0)
	edit(jerry, jerrys, obj{"mention_all": 0}).want(t, "no more", 0)
	edit(jerry, jerrys, obj{"mention_all": 1}).want(t, "again", 4004)
}

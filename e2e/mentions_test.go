package e2e

import "testing"

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

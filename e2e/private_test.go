package e2e

import (
	"sync"
	"testing"
)

// SPEC 6: one conversation a pair, whoever asks, also concurrently.
func TestPrivateConversationIsOneAPair(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two, three := a.user(t, "one"), a.user(t, "two"), a.user(t, "three")
	sockets := []*socket{a.login(t, one, "d"), a.login(t, two, "d")}
	var mu sync.Mutex
	seen := map[string]int{}
	var asking sync.WaitGroup
	for i := range 100 {
		from, to := one, two
		if i%2 == 1 {
			from, to = two, one
		}
		asking.Go(func() {
			body := obj{"client_id": from, "to_client_ids": []string{to}, "conv_type": 1}
			var ans *answer
			var err error
			if i%5 == 4 {
				ans, err = sockets[i%2].try("conv.create", body)
			} else {
				ans, err = a.s.try("POST", "/im/conversations", a.server(), body)
			}
			if err != nil || ans.Code != 0 {
				t.Errorf("create: %v %v", ans, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			seen[ans.text("conv_id")]++
		})
	}
	asking.Wait()
	if len(seen) != 1 {
		t.Fatalf("conversations of one pair: got %v, want one", seen)
	}
	other := a.conv(t, 1, one, three)
	if seen[other] != 0 {
		t.Errorf("another pair got the same conversation %s", other)
	}
	var conv string
	for conv = range seen {
	}
	if got := a.must(t, "GET", convPath(conv), nil); got.number("client_num") != 2 || got.number("conv_type") != 1 {
		t.Errorf("conversation: got %s, want type 1 of two clients", got)
	}
	if got := a.must(t, "GET", where(`[["client_id","=","`+one+`"],["conv_type","=",1]]`), nil); got.number("total") != 2 {
		t.Errorf("private conversations of %s: got %s, want 2", one, got)
	}
	// Naming oneself beside the other is still the pair; duplicates collapse.
	if got := a.must(t, "POST", "/im/conversations", obj{"client_id": one, "to_client_ids": []string{two, two}, "conv_type": 1}).text("conv_id"); got != conv {
		t.Errorf("the other one twice: got %s, want %s", got, conv)
	}
	// Another app's pair of the same names is another conversation: TestAppsShareNothing.
}

// Group members: all or none, in order of joining, known ones no error, told live.
func TestMembers(t *testing.T) {
	t.Parallel()
	a := dev(t)
	ids := a.users(t, 6)
	conv := a.group(t, ids[0], ids[1], ids[2], ids[1]) // a duplicate collapses
	members := func(query string) []string {
		t.Helper()
		var got []string
		a.must(t, "GET", convPath(conv, "members"+query), nil).into(t, &got)
		return got
	}
	hold := func(what string, got []string, want ...string) {
		t.Helper()
		if jsonOf(got) != jsonOf(append([]string{}, want...)) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	hold("at first", members(""), ids[0], ids[1], ids[2])
	owner, joiner := a.login(t, ids[0], "d"), a.login(t, ids[4], "d")
	if got := a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{ids[4], ids[1], ids[3], ids[4]}}); string(got.Data) != "true" {
		t.Errorf("add: got %s, want true", got)
	}
	hold("after add", members(""), ids[0], ids[1], ids[2], ids[4], ids[3])
	owner.expect(t, "conv.members.added")
	a.send(t, conv, ids[0], "welcome")
	joiner.expectText(t, "welcome")
	if got := a.must(t, "DELETE", convPath(conv, "members"), obj{"client_ids": []string{ids[4], ids[5]}}); string(got.Data) != "true" {
		t.Errorf("remove: got %s, want true", got)
	}
	owner.expect(t, "conv.members.removed")
	hold("after remove", members(""), ids[0], ids[1], ids[2], ids[3])
	if got := a.must(t, "GET", convPath(conv), nil); got.number("client_num") != 4 {
		t.Errorf("client_num: got %s, want 4", got)
	}
	joiner.forget()
	a.send(t, conv, ids[0], "after the farewell")
	joiner.nothing(t, "msg.new")
	var p struct {
		Data  []string `json:"data"`
		Total int      `json:"total"`
	}
	a.must(t, "GET", convPath(conv, "members?page=2&size=3"), nil).into(t, &p)
	if jsonOf(p.Data) != jsonOf([]string{ids[3]}) || p.Total != 4 {
		t.Errorf("members, page 2 of 3 each: got %+v, want %s alone, 4 in all", p, ids[3])
	}
	detail := a.must(t, "GET", convPath(conv, "members?detail=1"), nil)
	list, _ := decode(t, detail.Data).([]any)
	if len(list) != 4 {
		t.Fatalf("members?detail=1: got %s, want 4 objects", detail)
	}
	if first, _ := list[0].(map[string]any); first["client_id"] != ids[0] || first["role"] != "owner" {
		t.Errorf("members?detail=1: got %v, want %s as owner first", list[0], ids[0])
	}
}

// Leaving, joining and deleting, as the members see it.
func TestRoomJoinLeaveAndDelete(t *testing.T) {
	t.Parallel()
	a := strict(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	room := a.conv(t, 4, one)
	c1, c2 := a.login(t, one, "d"), a.login(t, two, "d")
	c2.ask(t, "msg.list", obj{"conv_id": room}).want(t, "history before joining", 4004)
	c2.ask(t, "msg.send", obj{"conv_id": room, "type": -1, "text": "x"}).want(t, "send before joining", 4004)
	c2.ask(t, "conv.join", obj{"conv_id": room}).want(t, "join", 0)
	c2.ask(t, "conv.join", obj{"conv_id": room}).want(t, "join again", 0)
	c2.ask(t, "msg.send", obj{"conv_id": room, "type": -1, "text": "hello"}).want(t, "send", 0)
	c1.expectText(t, "hello")
	c2.ask(t, "conv.leave", obj{"conv_id": room}).want(t, "leave", 0)
	c2.ask(t, "msg.send", obj{"conv_id": room, "type": -1, "text": "x"}).want(t, "send after leaving", 4004)
	c2.ask(t, "msg.list", obj{"conv_id": room}).want(t, "history after leaving", 4004)
	a.s.call(t, "POST", convPath(room, "join"), a.as(t, two), nil).want(t, "join by REST, without a body", 0)
	c1.ask(t, "conv.delete", obj{"conv_id": room}).want(t, "delete by the owner", 0)
	f := c2.expect(t, "conv.deleted")
	var gone struct {
		ConvID string `json:"conv_id"`
	}
	if f.into(t, &gone); gone.ConvID != room {
		t.Errorf("conv.deleted: got %s, want %s", f, room)
	}
	c2.ask(t, "msg.send", obj{"conv_id": room, "type": -1, "text": "x"}).want(t, "send after delete", 4011)
	a.call(t, "DELETE", convPath(room), nil).want(t, "delete again", 4011)
	a.call(t, "GET", convPath(room, "message"), nil).want(t, "history after delete", 4011)
	a.call(t, "GET", convPath(room, "members"), nil).want(t, "members after delete", 4011)
}

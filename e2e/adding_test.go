package e2e

import (
	"fmt"
	"testing"
)

// invite has a client create a conversation of a type with others, by REST with a token.
func (a *app) invite(t *testing.T, convType int, by string, others ...string) *answer {
	t.Helper()
	return a.s.call(t, "POST", "/im/conversations", a.as(t, by), obj{"to_client_ids": others, "conv_type": convType})
}

// Even if many strangers add a client to groups and leave, it can still join conversations by
// itself, with clients it knows, and through the backend.
func TestStrangersFillOnlyAPartOfAClientsConversations(t *testing.T) {
	t.Parallel()
	a := newApp(t, strictServer.get(t), unique("crowd"), "--max-conversations", "20", "--send-rate=-1", "--rest-rate=-1")
	eventually(t, "the app is known", func() bool { return a.s.once(t, "GET", "/im/users", a.server(), nil).Code == 0 })
	victim, friend, group := a.user(t, "victim"), a.user(t, "friend"), []string{}
	pair := a.invite(t, 1, friend, victim).want(t, "a friend says hello", 0).text("conv_id")
	for _, by := range []string{friend, victim} {
		a.s.call(t, "POST", convPath(pair, "message"), a.as(t, by), obj{"type": -1, "text": "hi"}).want(t, by+" speaks", 0)
	}

	attack := func(by string) (in int) {
		for i := range 25 {
			var got *answer
			if i%2 == 0 {
				got = a.invite(t, 2+i%3, by, victim)
			} else {
				conv := a.invite(t, 3, by, by).want(t, "a group of its own", 0).text("conv_id")
				got = a.s.call(t, "POST", convPath(conv, "members"), a.as(t, by), obj{"client_ids": []string{victim}})
				if got.Code == 0 {
					a.s.call(t, "POST", convPath(conv, "leave"), a.as(t, by), obj{}).want(t, "leave", 0)
				} else {
					a.s.call(t, "DELETE", convPath(conv), a.as(t, by), nil).want(t, "delete", 0)
				}
			}
			if got.Code == 0 {
				in++
				if id := got.text("conv_id"); id != "" {
					a.s.call(t, "POST", convPath(id, "leave"), a.as(t, by), obj{}).want(t, "leave", 0)
				}
				continue
			}
			got.want(t, "one group too many", 4130)
		}
		return in
	}
	if got := attack(a.user(t, "attacker")); got != 3 { // a tenth, at least 3
		t.Errorf("one attacker put a client of 20 conversations into %d, want 3", got)
	}
	a.invite(t, 3, a.user(t, "stranger"), victim).want(t, "a stranger's group after one attacker", 0)
	for i := range 9 {
		attack(a.user(t, fmt.Sprint("attacker", i)))
	}
	a.invite(t, 1, a.user(t, "stranger"), victim).want(t, "a stranger's private conversation after ten", 0)
	for range 8 {
		a.invite(t, 1, a.user(t, "attacker"), victim)
	}
	group = append(group, a.invite(t, 3, friend, victim).want(t, "a group of a friend", 0).text("conv_id"))
	if got := attack(friend); got > 2 {
		t.Errorf("a friend who turned put it into %d, want 2 at the most", got)
	}
	a.invite(t, 3, victim, friend).want(t, "a group of its own", 0)
	a.must(t, "POST", "/im/conversations", obj{"client_id": friend, "to_client_ids": []string{victim}, "conv_type": 3})
	a.invite(t, 3, victim, victim).want(t, "a conversation beyond the limit", 4130)
	a.s.call(t, "POST", convPath(group[0], "leave"), a.as(t, victim), obj{}).want(t, "leave", 0)
	a.invite(t, 3, victim, victim).want(t, "one in place of one that it left", 0)
}

// A client says who may add it; an app says so for those who said nothing.
func TestClientsRefuseToBeAddedByStrangers(t *testing.T) {
	t.Parallel()
	a := newApp(t, strictServer.get(t), unique("shy"), "--add-by", "known", "--members-may-invite", "on")
	eventually(t, "the app is known", func() bool { return a.s.once(t, "GET", "/im/users", a.server(), nil).Code == 0 })
	shy, friend, stranger := a.user(t, "shy"), a.user(t, "friend"), a.user(t, "stranger")
	own := a.invite(t, 3, friend, friend).want(t, "a group", 0).text("conv_id")
	add := func(by string, clients ...string) *answer {
		conv := a.invite(t, 3, by, by).want(t, "a group", 0).text("conv_id")
		return a.s.call(t, "POST", convPath(conv, "members"), a.as(t, by), obj{"client_ids": clients})
	}
	pair := a.invite(t, 1, friend, shy).want(t, "anyone may write to it", 0).text("conv_id")
	say := func(by string) {
		a.s.call(t, "POST", convPath(pair, "message"), a.as(t, by), obj{"type": -1, "text": "hi"}).want(t, by+" speaks", 0)
	}
	say(friend)
	for name, got := range map[string]*answer{
		"group": a.invite(t, 3, friend, shy), "temporary": a.invite(t, 2, friend, shy), "room": a.invite(t, 4, stranger, shy),
		"add": add(friend, shy), "among others": a.invite(t, 3, stranger, friend, shy),
	} {
		got.want(t, "before it answered: "+name, 4004)
	}
	say(shy)
	a.invite(t, 3, friend, shy).want(t, "by who is known", 0)
	add(friend, shy).want(t, "added by who is known", 0)
	add(stranger, shy).want(t, "added by a stranger", 4004)
	add(shy, friend).want(t, "it adds who knows it", 0)
	a.must(t, "POST", convPath(own, "members"), obj{"client_ids": []string{shy}}) // the backend may always
	a.s.call(t, "POST", convPath(own, "members"), a.as(t, friend), obj{"client_ids": []string{shy}}).want(t, "a member already", 0)

	c := a.login(t, shy, "d")
	got := c.ask(t, "user.update", obj{"add_by": "nobody"}).want(t, "by socket", 0)
	if got.text("add_by") != "nobody" || got.field("ext") != nil {
		t.Errorf("user.update: got %s", got)
	}
	add(friend, shy).want(t, "added by who is known, to one who wants nobody", 4004)
	a.invite(t, 3, shy, friend).want(t, "it creates", 0)
	room := a.invite(t, 4, stranger, stranger).want(t, "a room", 0).text("conv_id")
	c.ask(t, "conv.join", obj{"conv_id": room}).want(t, "it joins by itself", 0)
	h := a.as(t, shy)
	a.s.call(t, "PUT", userPath(shy), h, obj{"add_by": "anyone", "ext": obj{"a": 1}}).want(t, "by REST", 0)
	add(stranger, shy).want(t, "added by anyone", 0)
	if got := a.s.call(t, "PUT", userPath(shy), h, obj{"add_by": nil}).want(t, "back to what the app says", 0); got.field("add_by") != nil || got.field("ext") == nil {
		t.Errorf("user.update: got %s, want no add_by and the ext as it was", got)
	}
	add(stranger, shy).want(t, "added by a stranger, as the app says", 4004)
	for _, bad := range []any{"all", 1, true, []string{"known"}, "Known"} {
		a.s.call(t, "PUT", userPath(shy), h, obj{"add_by": bad}).want(t, fmt.Sprintf("add_by %v", bad), 4406)
	}
	a.s.call(t, "PUT", userPath(shy), h, obj{}).want(t, "nothing to update", 4001)
	a.must(t, "PUT", userPath(shy), obj{"add_by": "known"})
	if got := a.must(t, "GET", userPath(shy), nil).text("add_by"); got != "known" {
		t.Errorf("add_by for the backend: got %q", got)
	}
	if got := a.s.call(t, "GET", userPath(shy), a.as(t, stranger), nil); got.field("add_by") != nil {
		t.Errorf("add_by for a stranger: got %s, want null", got)
	}
}

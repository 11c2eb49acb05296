package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestUserLife(t *testing.T) {
	t.Parallel()
	a := dev(t)
	id := unique("user")
	first := a.must(t, "POST", "/im/users", obj{"client_id": id, "ext": obj{"nickname": "Sara", "n": 1}})
	if first.text("client_id") != id {
		t.Errorf("create: got %s, want client_id %s", first, id)
	}
	a.must(t, "POST", "/im/users", obj{"client_id": id, "ext": obj{"nickname": "Sara", "n": 1}}) // again, the same
	a.call(t, "POST", "/im/users", obj{"client_id": id, "ext": obj{"nickname": "other"}}).want(t, "create with another ext", 4013)
	if got := a.must(t, "GET", userPath(id), nil); jsonOf(got.field("ext")) != `{"n":1,"nickname":"Sara"}` {
		t.Errorf("get: got %s", got)
	}
	a.must(t, "PUT", userPath(id), obj{"ext": []int{1, 2}})
	if got := a.must(t, "GET", userPath(id), nil); jsonOf(got.field("ext")) != `[1,2]` {
		t.Errorf("get after update: got %s", got)
	}
	a.must(t, "PUT", userPath(id), `{"ext":null}`)
	if got := a.must(t, "GET", userPath(id), nil); got.field("ext") != nil {
		t.Errorf("get after update with null: got %s", got)
	}
	a.must(t, "DELETE", userPath(id), nil)
	a.call(t, "GET", userPath(id), nil).want(t, "get after delete", 211)
	a.call(t, "DELETE", userPath(id), nil).want(t, "delete again", 211)
	a.must(t, "POST", "/im/users", obj{"client_id": id})
	if got := a.must(t, "GET", userPath(id), nil); got.field("ext") != nil {
		t.Errorf("made again: got %s, want no ext of before", got)
	}
	// An integer id is kept as a string.
	if got := a.must(t, "POST", "/im/users", `{"client_id":987654321}`); got.text("client_id") != "987654321" {
		t.Errorf("create with an integer: got %s", got)
	}
}

// Whoever gets the id of a deleted client reads nothing of what that one had.
func TestNewHolderOfAnIDInheritsNothing(t *testing.T) {
	t.Parallel()
	a := strict(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	private, group := a.conv(t, 1, one, two), a.group(t, two, one)
	a.send(t, private, two, "secret")
	a.send(t, group, two, "secret")
	key := unique("key")
	a.must(t, "POST", convPath(group, "message"), obj{"from_client": one, "type": -1, "text": "secret", "client_msg_id": key})
	a.must(t, "DELETE", userPath(one), nil)
	a.must(t, "POST", "/im/users", obj{"client_id": one})
	var h headers
	eventually(t, "a token of the new holder is taken", func() bool {
		h = a.as(t, one)
		return a.s.call(t, "GET", userPath(one), h, nil).Code == 0
	})
	for _, conv := range []string{private, group} {
		a.s.call(t, "GET", convPath(conv, "message"), h, nil).want(t, "history of the former holder", 4004, 4011)
		a.s.call(t, "GET", convPath(conv), h, nil).want(t, "a conversation of the former holder", 4004, 4011)
	}
	a.s.call(t, "POST", convPath(group, "message"), h, obj{"type": -1, "text": "secret", "client_msg_id": key}).
		want(t, "the former holder's client_msg_id", 4004)
	if got := a.s.call(t, "GET", "/im/conversations", h, nil); got.number("total") != 0 {
		t.Errorf("conversations of the new holder: got %s, want none", got)
	}
	again := a.conv(t, 1, one, two)
	if again == private {
		t.Errorf("the pair of the new holder got the former conversation")
	}
	if got := a.history(t, again); len(got) != 0 {
		t.Errorf("its history: got %+v, want nothing", got)
	}
}

// user.import: what becomes of each user is what user.create answers to it alone.
func TestUsersAreImported(t *testing.T) {
	t.Parallel()
	a := strict(t)
	there := a.user(t, "there")
	fresh, twice := unique("fresh"), unique("twice")
	users := []any{
		obj{"client_id": fresh, "ext": obj{"a": 1, "b": "two"}},
		obj{"client_id": there},
		obj{"client_id": there, "ext": 1},
		obj{"client_id": twice, "ext": obj{"a": 1, "b": 2}},
		obj{"client_id": twice, "ext": obj{"b": 2, "a": 1}},
		obj{"client_id": twice, "ext": nil},
		obj{"client_id": "no spaces"},
		obj{"client_id": ""},
		obj{},
		obj{"client_id": []int{1}},
		"a text", 7, nil, []int{},
		obj{"client_id": 4711000 + len(fresh)},
		obj{"client_id": unique("big"), "ext": strings.Repeat("x", 17<<10)},
	}
	type result struct {
		ClientID string `json:"client_id"`
		Result   string `json:"result"`
		Code     int    `json:"code"`
		Message  string `json:"message"`
	}
	var answer struct {
		Created, Existed, Refused int
		Users                     []result
	}
	a.must(t, "POST", "/im/users/import", obj{"users": users}).into(t, &answer)
	want := []string{
		"created 0", "existed 0", "refused 4013", "created 0", "existed 0", "refused 4013", "refused 212", "refused 4001", "refused 4001",
		"refused 4406", "refused 4406", "refused 4406", "refused 4001", "refused 4406", "created 0", "refused 4406",
	}
	var got []string
	for _, u := range answer.Users {
		got = append(got, fmt.Sprint(u.Result, " ", u.Code))
	}
	if !slices.Equal(got, want) || answer.Created != 3 || answer.Existed != 2 || answer.Refused != 11 {
		t.Errorf("got %+v\nwant %v", answer, want)
	}
	if got := a.must(t, "GET", userPath(fresh), nil); !strings.Contains(string(got.Data), `"b":"two"`) {
		t.Errorf("an imported user: got %s", got)
	}
	many := func(n int) obj {
		var users []obj
		for range n {
			users = append(users, obj{"client_id": unique("many")})
		}
		return obj{"users": users}
	}
	if got := a.must(t, "POST", "/im/users/import", many(500)).number("created"); got != 500 {
		t.Errorf("500 users: %d were created", got)
	}
	a.call(t, "POST", "/im/users/import", many(501)).want(t, "501 users", 4406)
	a.call(t, "POST", "/im/users/import", obj{"users": []obj{}}).want(t, "no users", 4406)
	a.call(t, "POST", "/im/users/import", obj{}).want(t, "no list", 4001)
	a.call(t, "POST", "/im/users/import", obj{"users": obj{}}).want(t, "no list", 4406)
	a.s.call(t, "POST", "/im/users/import", a.as(t, there), many(1)).want(t, "by a client", 4004)
}

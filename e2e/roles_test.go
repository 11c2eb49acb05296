package e2e

import (
	"fmt"
	"testing"
	"time"
)

// SPEC 6: who may change what of whom. Each cell has a group of its own.
func TestRolesMatrix(t *testing.T) {
	t.Parallel()
	a := strict(t)
	people := map[string]string{}
	for _, who := range []string{"owner", "admin", "admin2", "member", "member2", "outsider"} {
		people[who] = a.user(t, who)
	}
	changes := []struct {
		name string
		body obj
	}{
		{"role", obj{"role": "admin"}},
		{"mute", obj{"mute_until": time.Now().Add(time.Hour).UnixMilli()}},
		{"nickname", obj{"nickname": "Nick"}},
	}
	for _, tt := range []struct {
		by, of string
		want   string // the codes of role, mute, nickname
	}{
		{"server", "owner", "0 0 0"},
		{"server", "member", "0 0 0"},
		{"server", "outsider", "211 211 211"},
		{"owner", "owner", "4004 4004 0"},
		{"owner", "admin", "0 0 0"},
		{"owner", "member", "0 0 0"},
		{"owner", "outsider", "211 211 211"},
		{"admin", "owner", "4004 4004 4004"},
		{"admin", "admin", "4004 4004 0"},
		{"admin", "admin2", "4004 4004 4004"},
		{"admin", "member", "4004 0 0"},
		{"member", "owner", "4004 4004 4004"},
		{"member", "admin", "4004 4004 4004"},
		{"member", "member", "4004 4004 0"},
		{"member", "member2", "4004 4004 4004"},
		{"outsider", "member", "4004 4004 4004"},
		{"outsider", "outsider", "4004 4004 4004"},
	} {
		conv := a.group(t, people["owner"], people["admin"], people["admin2"], people["member"], people["member2"])
		for _, who := range []string{"admin", "admin2"} {
			a.must(t, "PUT", convPath(conv, "members", people[who]), obj{"role": "admin"})
		}
		h := a.server()
		if tt.by != "server" {
			h = a.as(t, people[tt.by])
		}
		before := string(a.must(t, "GET", convPath(conv, "members?detail=1"), nil).Raw)
		got, changed := "", false
		for _, c := range changes {
			code := a.s.call(t, "PUT", convPath(conv, "members", people[tt.of]), h, c.body).Code
			got += fmt.Sprint(" ", code)
			changed = changed || code == 0
		}
		if got[1:] != tt.want {
			t.Errorf("%s of %s: got codes%s, want %s", tt.by, tt.of, got, tt.want)
		}
		if after := string(a.must(t, "GET", convPath(conv, "members?detail=1"), nil).Raw); (after != before) != changed {
			t.Errorf("%s of %s: codes%s, and the members\nbefore %s\nafter  %s", tt.by, tt.of, got, before, after)
		}
	}
}

// member is one line of conv.members with detail=1.
type member struct {
	ClientID  string  `json:"client_id"`
	Role      string  `json:"role"`
	JoinTime  int64   `json:"join_time"`
	MuteUntil *int64  `json:"mute_until"`
	Nickname  *string `json:"nickname"`
}

func (a *app) membersOf(t *testing.T, conv string) map[string]member {
	t.Helper()
	var list []member
	a.must(t, "GET", convPath(conv, "members?detail=1"), nil).into(t, &list)
	all := map[string]member{}
	for _, m := range list {
		all[m.ClientID] = m
	}
	return all
}

func (a *app) wantRoles(t *testing.T, what, conv string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for id, m := range a.membersOf(t, conv) {
		got[id] = m.Role
	}
	if jsonOf(got) != jsonOf(want) {
		t.Errorf("%s: got roles %v, want %v", what, got, want)
	}
}

func TestAnOwnerHandsOver(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry, alex := a.user(t, "tom"), a.user(t, "jerry"), a.user(t, "alex")
	conv := a.group(t, tom, jerry, alex)
	c := a.login(t, alex, "d")
	got := a.s.call(t, "PUT", convPath(conv, "members", jerry), a.as(t, tom), obj{"role": "owner", "nickname": "J"}).want(t, "a new owner", 0)
	var m member
	if got.into(t, &m); m.ClientID != jerry || m.Role != "owner" || m.Nickname == nil || *m.Nickname != "J" || m.JoinTime == 0 {
		t.Errorf("a new owner: got %s", got)
	}
	var e struct {
		ConvID    string   `json:"conv_id"`
		By        string   `json:"by"`
		ClientIDs []string `json:"client_ids"`
		Conv      view     `json:"conversation"`
	}
	if c.expect(t, "conv.updated").into(t, &e); e.ConvID != conv || e.By != tom || jsonOf(e.ClientIDs) != jsonOf([]string{jerry}) || e.Conv.ClientNum != 3 {
		t.Errorf("the members are told %+v", e)
	}
	a.wantRoles(t, "handed over", conv, map[string]string{tom: "admin", jerry: "owner", alex: "member"})
	a.s.call(t, "PUT", convPath(conv, "members", alex), a.as(t, tom), obj{"role": "admin"}).want(t, "the old owner", 4004)
	a.must(t, "POST", convPath(conv, "leave"), obj{"client_id": jerry})
	a.wantRoles(t, "nobody follows by itself", conv, map[string]string{tom: "admin", alex: "member"})
	a.must(t, "PUT", convPath(conv, "members", alex), obj{"role": "owner"})
	a.wantRoles(t, "the backend names one", conv, map[string]string{tom: "admin", alex: "owner"})
	if v := a.view(t, alex, conv); v.Role != "owner" {
		t.Errorf("the list says %q", v.Role)
	}
	c.forget()
	a.must(t, "PUT", convPath(conv, "members", alex), obj{"role": "owner"})
	c.nothing(t, "conv.updated")
}

func TestAPairHasNoRoles(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	pair := a.conv(t, 1, tom, jerry)
	for _, h := range []headers{a.server(), a.as(t, tom)} {
		a.s.call(t, "PUT", convPath(pair, "members", jerry), h, obj{"role": "admin"}).want(t, "a role in a pair", 4405)
		a.s.call(t, "POST", convPath(pair, "mute"), h, obj{}).want(t, "a pair silenced", 4405, 4004)
	}
	a.s.call(t, "PUT", convPath(pair, "members", tom), a.as(t, tom), obj{"nickname": "T"}).want(t, "one's own name", 0)
	a.s.call(t, "PUT", convPath(pair, "members", jerry), a.as(t, tom), obj{"mute_until": 1}).want(t, "the other silenced", 4004)
}

func TestAMutedMemberMayReadAndNotSpeak(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.group(t, tom, jerry)
	c := a.login(t, jerry, "d")
	speak := func(what string, code int) {
		t.Helper()
		a.s.call(t, "POST", convPath(conv, "message"), a.as(t, jerry), obj{"type": -1, "text": what}).want(t, what, code)
		c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": what}).want(t, what+" by socket", code)
		c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": what, "transient": 1}).want(t, what+", transient", code)
	}
	mute := func(until any) {
		t.Helper()
		a.must(t, "PUT", convPath(conv, "members", jerry), obj{"mute_until": until})
	}
	later := time.Now().Add(time.Hour).UnixMilli()
	mute(later)
	if v := a.view(t, jerry, conv); v.MuteUntil == nil || *v.MuteUntil != later {
		t.Errorf("the list of who is muted: %+v", v)
	}
	speak("while muted", 4004)
	a.s.call(t, "GET", convPath(conv, "message"), a.as(t, jerry), nil).want(t, "reading while muted", 0)
	a.send(t, conv, jerry, "the backend may speak for it")
	mute(nil)
	speak("may speak again", 0)
	mute(later)
	mute(0)
	speak("may speak again", 0)
	mute(time.Now().Add(300 * time.Millisecond).UnixMilli())
	eventually(t, "the mute ends by itself", func() bool {
		return a.s.call(t, "POST", convPath(conv, "message"), a.as(t, jerry), obj{"type": -1, "text": "at last"}).Code == 0
	})
	if m := a.membersOf(t, conv)[jerry]; m.Role != "member" {
		t.Errorf("a mute changed the role: %+v", m)
	}
}

func TestWhileAllAreMutedOnlyManagersSpeak(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry, alex := a.user(t, "tom"), a.user(t, "jerry"), a.user(t, "alex")
	for _, typ := range []int{3, 4} {
		conv := a.conv(t, typ, tom, jerry, alex)
		a.must(t, "PUT", convPath(conv, "members", jerry), obj{"role": "admin"})
		c := a.login(t, alex, fmt.Sprint("d", typ))
		speak := func(what string, codes map[string]int) {
			t.Helper()
			for who, code := range codes {
				a.s.call(t, "POST", convPath(conv, "message"), a.as(t, who), obj{"type": -1, "text": "x"}).want(t, what+": "+who, code)
			}
		}
		mute := func(who string, body obj, code int, told string) {
			t.Helper()
			a.s.call(t, "POST", convPath(conv, "mute"), a.as(t, who), body).want(t, fmt.Sprint("mute ", body, " by ", who), code)
			if told == "" {
				c.nothing(t, "conv.updated")
				return
			}
			var e struct {
				Conversation struct {
					MuteAll int `json:"mute_all"`
				} `json:"conversation"`
			}
			if c.expect(t, "conv.updated").into(t, &e); fmt.Sprint(e.Conversation.MuteAll) != told {
				t.Errorf("mute_all is told as %d, want %s", e.Conversation.MuteAll, told)
			}
		}
		mute(alex, obj{}, 4004, "")
		mute(jerry, obj{}, 0, "1")
		mute(jerry, obj{"on": 1}, 0, "")
		speak("muted", map[string]int{tom: 0, jerry: 0, alex: 4004})
		a.send(t, conv, alex, "the backend may")
		if got := a.must(t, "GET", convPath(conv), nil); got.number("mute_all") != 1 || a.view(t, alex, conv).MuteAll != 1 {
			t.Errorf("conv.get: %s", got)
		}
		mute(tom, obj{"on": 0}, 0, "0")
		speak("free again", map[string]int{tom: 0, jerry: 0, alex: 0})
	}
	temporary := a.conv(t, 2, tom, jerry)
	a.call(t, "POST", convPath(temporary, "mute"), obj{}).want(t, "a temporary conversation", 4405)
}

package e2e

import (
	"fmt"
	"testing"
	"time"
)

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

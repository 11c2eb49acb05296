package e2e

import (
	"fmt"
	"testing"
)

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

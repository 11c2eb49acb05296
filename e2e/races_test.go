package e2e

import (
	"flag"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// racesOfEach is how many races of each kind two nodes run: few in CI, a thousand by hand
// (go test -run TestTwoNodesRace ./e2e -races 1000 -timeout 30m).
var racesOfEach = flag.Int("races", 5, "races of two nodes of each kind, in TestTwoNodesRace")

// racing is one race: what node a and node b are asked at the same time.
type racing struct {
	a, b *app
}

// atOnce makes both calls at the same time. Its goroutines end before it returns.
func (r racing) atOnce(t *testing.T, onA, onB func() *answer) (a, b *answer) {
	t.Helper()
	var both sync.WaitGroup
	start := make(chan struct{})
	both.Go(func() { <-start; a = onA() })
	both.Go(func() { <-start; b = onB() })
	close(start)
	both.Wait()
	for _, got := range []*answer{a, b} {
		if got == nil || got.Code == 5030 || got.Status >= 500 {
			t.Fatalf("got %s and %s, want answers", a, b)
		}
	}
	return a, b
}

// rest is a call on a node that a goroutine may make.
func (a *app) rest(t *testing.T, method, path string, body any) func() *answer {
	return func() *answer {
		got, err := a.s.try(method, path, a.server(), body)
		if err != nil {
			t.Errorf("%s %s: %v", method, path, err)
		}
		return got
	}
}

// agree reads the same thing from both nodes and returns it.
func (r racing) agree(t *testing.T, path string) *answer {
	t.Helper()
	a, b := r.a.must(t, "GET", path, nil), r.b.must(t, "GET", path, nil)
	if string(a.Data) != string(b.Data) {
		t.Errorf("GET %s: one node says %s, the other %s", path, a.Data, b.Data)
	}
	return a
}

// entering is a login that a goroutine may make. Where the socket is closed before the answer, the close code stands for it.
func (a *app) entering(t *testing.T, into **socket, client, device string) func() *answer {
	return func() *answer {
		c, got, err := a.tryLogin("", client, device)
		if c != nil {
			t.Cleanup(c.Drop)
		}
		*into = c
		if got == nil && c != nil {
			select {
			case <-c.Ended():
				code, _ := c.End()
				return &answer{Code: code}
			case <-time.After(patience):
			}
		}
		if err != nil {
			t.Errorf("login: %v", err)
		}
		return got
	}
}

func isOver(c *socket) bool {
	select {
	case <-c.Ended():
		return true
	default:
		return false
	}
}

var races = map[string]func(t *testing.T, r racing){
	"a private conversation created by both of its members is one": func(t *testing.T, r racing) {
		tom, jerry := unique("tom"), unique("jerry")
		create := func(a *app, from, to string) func() *answer {
			return a.rest(t, "POST", "/im/conversations", obj{"client_id": from, "to_client_ids": []string{to}, "conv_type": 1})
		}
		r.a.must(t, "POST", "/im/users", obj{"client_id": tom})
		r.b.must(t, "POST", "/im/users", obj{"client_id": jerry})
		one, other := r.atOnce(t, create(r.a, tom, jerry), create(r.b, jerry, tom))
		if one.Code != 0 || other.Code != 0 || one.text("conv_id") != other.text("conv_id") {
			t.Errorf("got %s and %s, want one conversation", one, other)
		}
		r.agree(t, convPath(one.text("conv_id"), "memberships"))
	},
	"of two logins of one device one stays": func(t *testing.T, r racing) {
		var onA, onB *socket
		tom := r.a.user(t, "tom")
		r.atOnce(t, r.a.entering(t, &onA, tom, "phone"), r.b.entering(t, &onB, tom, "phone"))
		eventually(t, "one of two sessions of a device to end", func() bool { return isOver(onA) || isOver(onB) })
		if isOver(onA) && isOver(onB) {
			t.Error("both sessions have ended, want one of them open")
			return
		}
		if isOver(onA) {
			onB.open(t)
		} else {
			onA.open(t)
		}
	},
	"a ban ends a login or refuses it": func(t *testing.T, r racing) {
		var c *socket
		tom := r.a.user(t, "tom")
		_, got := r.atOnce(t, r.a.rest(t, "POST", userPath(tom, "ban"), obj{"reason": "spam"}), r.b.entering(t, &c, tom, "phone"))
		switch got.Code {
		case 0:
			c.closed(t, 4401)
		case 213, 4401:
		default:
			t.Errorf("a login that races with a ban: got %s, want success, 213 or a kick", got)
		}
		r.agree(t, userPath(tom))
		for _, node := range []*app{r.a, r.b} {
			if c, got, _ := node.tryLogin("", tom, "pad"); got == nil || got.Code != 213 {
				t.Errorf("a login after the ban: got %s, want 213", got)
			} else {
				c.Drop()
			}
		}
	},
	"a forced logout ends the logins before it": func(t *testing.T, r racing) {
		var after *socket
		tom := r.a.user(t, "tom")
		before := r.b.login(t, tom, "phone")
		out, in := r.atOnce(t, r.a.rest(t, "POST", userPath(tom, "logout"), obj{}), r.b.entering(t, &after, tom, "pad"))
		out.want(t, "logout", 0)
		if in.Code != 0 && in.Code != 4401 {
			t.Errorf("a login that races with a forced logout: got %s, want success or a kick", in)
		}
		before.kicked(t, "logged_out")
	},
	"a ban and its end leave both nodes of one mind": func(t *testing.T, r racing) {
		tom := r.a.user(t, "tom")
		r.a.must(t, "POST", userPath(tom, "ban"), obj{})
		r.atOnce(t, r.a.rest(t, "POST", userPath(tom, "ban"), obj{"reason": "again"}), r.b.rest(t, "DELETE", userPath(tom, "ban"), nil))
		r.agree(t, userPath(tom))
	},
	"who is added and removed is a member on both nodes or on none": func(t *testing.T, r racing) {
		tom, jerry := r.a.user(t, "tom"), r.b.user(t, "jerry")
		conv := r.a.group(t, tom, jerry)
		ids := obj{"client_ids": []string{jerry}}
		r.atOnce(t, r.a.rest(t, "DELETE", convPath(conv, "members"), ids), r.b.rest(t, "POST", convPath(conv, "members"), ids))
		var members []string
		r.agree(t, convPath(conv, "members")).into(t, &members)
		if n := len(members); n != 1 && n != 2 || members[0] != tom {
			t.Errorf("members: got %v, want tom, and jerry or not", members)
		}
		r.agree(t, convPath(conv, "memberships"))
	},
	"of two roles given at once one holds on both nodes": func(t *testing.T, r racing) {
		tom, jerry := r.a.user(t, "tom"), r.b.user(t, "jerry")
		conv := r.a.group(t, tom, jerry)
		role := func(a *app, name string) func() *answer {
			return a.rest(t, "PUT", convPath(conv, "members", jerry), obj{"role": name})
		}
		one, other := r.atOnce(t, role(r.a, "admin"), role(r.b, "member"))
		if one.Code != 0 || other.Code != 0 {
			t.Errorf("got %s and %s, want both done, one after the other", one, other)
		}
		r.agree(t, convPath(conv, "memberships"))
	},
	"a demotion and a write of the demoted come one after the other": func(t *testing.T, r racing) {
		tom, jerry, alex := r.a.user(t, "tom"), r.b.user(t, "jerry"), r.a.user(t, "alex")
		conv := r.a.group(t, tom, jerry)
		r.a.must(t, "PUT", convPath(conv, "members", jerry), obj{"role": "admin"})
		var c *socket
		r.b.entering(t, &c, jerry, "phone")().want(t, "login", 0)
		_, added := r.atOnce(t, r.a.rest(t, "PUT", convPath(conv, "members", jerry), obj{"role": "member"}), func() *answer {
			got, _ := c.try("conv.members.add", obj{"conv_id": conv, "client_ids": []string{alex}})
			return got
		})
		var members []string
		r.agree(t, convPath(conv, "members")).into(t, &members)
		if slices.Contains(members, alex) != (added.Code == 0) {
			t.Errorf("the one who was demoted added a member and got %s; members %v", added, members)
		}
	},
	"of two recalls one is a change": func(t *testing.T, r racing) {
		tom := r.a.user(t, "tom")
		conv := r.a.group(t, tom)
		msg := r.a.send(t, conv, tom, "x").text("msg_id")
		recall := func(a *app) func() *answer {
			return a.rest(t, "POST", convPath(conv, "message", msg, "recall"), obj{})
		}
		r.atOnce(t, recall(r.a), recall(r.b))
		if got := r.agree(t, convPath(conv)); !strings.Contains(string(got.Data), `"last_change":1`) {
			t.Errorf("the conversation after two recalls: got %s, want one change", got.Data)
		}
		r.agree(t, convPath(conv, "message", msg))
	},
	"an edit comes before the recall or is refused": func(t *testing.T, r racing) {
		tom := r.a.user(t, "tom")
		conv := r.a.group(t, tom)
		msg := r.a.send(t, conv, tom, "x").text("msg_id")
		recalled, edited := r.atOnce(t, r.a.rest(t, "POST", convPath(conv, "message", msg, "recall"), obj{}),
			r.b.rest(t, "PUT", convPath(conv, "message", msg), obj{"text": "edited"}))
		recalled.want(t, "recall", 0)
		got := r.agree(t, convPath(conv, "message", msg))
		if !strings.Contains(string(got.Data), `"msg_status":3`) || strings.Contains(string(got.Data), "edited") {
			t.Errorf("a message that was recalled, and edited with the answer %s: got %s", edited, got.Data)
		}
		r.agree(t, convPath(conv))
	},
}

// Each deed of one node races with one of another node. Whatever comes first, one of them wins and both
// nodes say the same afterwards.
func TestTwoNodesRace(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t, 2)
	for name, race := range races {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			for i := range *racesOfEach {
				r := racing{nodes[i%2], nodes[1-i%2]}
				race(t, r)
				if t.Failed() {
					t.Fatalf("race %d", i)
				}
			}
			t.Logf("%d races in %v", *racesOfEach, time.Since(start).Round(time.Second))
		})
	}
}

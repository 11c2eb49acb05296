package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// changeOps are the ops on messages as REST calls; their fields are those of the socket
// commands.
var changeOps = map[string]struct{ method, path string }{
	"msg.edit":   {"PUT", "/im/conversations/%s/message/%s"},
	"msg.delete": {"DELETE", "/im/conversations/%s/message/%s"},
	"msg.recall": {"POST", "/im/conversations/%s/message/%s/recall"},
	"msg.react":  {"POST", "/im/conversations/%s/message/%s/reactions"},
	"msg.pin":    {"POST", "/im/conversations/%s/message/%s/pin"},
	"msg.pins":   {"GET", "/im/conversations/%s/pins"},
	"changes":    {"GET", "/im/conversations/%s/changes"},
	"msg.ranges": {"POST", "/im/messages/ranges"},
}

// ways are REST and the socket: the same ops with the same fields.
var ways = map[string]func(t *testing.T, k *talk, client, op string, in obj) *answer{
	"REST": func(t *testing.T, k *talk, client, op string, in obj) *answer {
		t.Helper()
		o, ids := changeOps[op], []any{}
		for _, id := range []string{"conv_id", "msg_id"}[:strings.Count(o.path, "%s")] {
			ids = append(ids, in[id])
		}
		body := maps.Clone(in)
		if o.method == "GET" {
			delete(body, "conv_id")
		}
		return k.a.s.call(t, o.method, fmt.Sprintf(o.path, ids...), k.a.as(t, client), body)
	},
	"socket": func(t *testing.T, k *talk, client, op string, in obj) *answer {
		t.Helper()
		return k.sockets[client].ask(t, op, in)
	},
}

// talk is a group of Tom (its owner), Jerry and Alex, who are online, and Iron, who
// is away.
type talk struct {
	a                      *app
	tom, jerry, alex, iron string
	conv                   string
	sockets                map[string]*socket
}

func newTalk(t *testing.T, a *app) *talk {
	t.Helper()
	k := &talk{a: a, tom: a.user(t, "tom"), jerry: a.user(t, "jerry"), alex: a.user(t, "alex"), iron: a.user(t, "iron"), sockets: map[string]*socket{}}
	k.conv = a.group(t, k.tom, k.jerry, k.alex, k.iron)
	for _, client := range []string{k.tom, k.jerry, k.alex} {
		k.sockets[client] = a.login(t, client, "phone")
	}
	return k
}

// say is the msg_id of a new text of Jerry's.
func (k *talk) say(t *testing.T, text string) string {
	t.Helper()
	return k.a.send(t, k.conv, k.jerry, text).text("msg_id")
}

// fields name a message of the talk, and more.
func (k *talk) fields(id string, more obj) obj {
	in := obj{"conv_id": k.conv, "msg_id": id}
	maps.Copy(in, more)
	return in
}

// change is a line of the log of changes, and the data of msg.updated.
type change struct {
	ConvID    string  `json:"conv_id"`
	ChangeSeq int64   `json:"change_seq"`
	Kind      string  `json:"kind"`
	MsgID     *string `json:"msg_id"`
	Seq       *int64  `json:"seq"`
	ClientID  *string `json:"client_id"`
	Time      int64   `json:"time"`
	Emoji     string  `json:"emoji"`
	On        *int    `json:"on"`
	Message   *struct {
		message

		Version   int   `json:"version"`
		ChangeSeq int64 `json:"change_seq"`
		Pin       int   `json:"pin"`
		Reactions []struct {
			Emoji     string   `json:"emoji"`
			Count     int      `json:"count"`
			ClientIDs []string `json:"client_ids"`
		} `json:"reactions"`
	} `json:"message"`
}

// String is the change in short; whose, by its first letters.
func (c change) String() string {
	who := "-"
	if c.ClientID != nil {
		who = strings.TrimRight(*c.ClientID, "0123456789")
	}
	if c.Message == nil {
		return fmt.Sprintf("%d %s %s", c.ChangeSeq, c.Kind, who)
	}
	m := c.Message
	return fmt.Sprintf("%d %s %s %s: %q v%d status %d pin %d %d reactions", c.ChangeSeq, c.Kind, who, c.Emoji, m.text(), m.Version, m.MsgStatus, m.Pin, len(m.Reactions))
}

// changes are the whole log as a client sees it.
func (k *talk) changes(t *testing.T, client string) (all []change) {
	t.Helper()
	for {
		var page struct {
			Data       []change `json:"data"`
			HasMore    bool     `json:"has_more"`
			LastChange int64    `json:"last_change"`
		}
		k.a.s.call(t, "GET", convPath(k.conv, fmt.Sprintf("changes?after_change=%d&limit=7", len(all))), k.a.as(t, client), nil).
			want(t, "changes", 0).into(t, &page)
		all = append(all, page.Data...)
		if !page.HasMore {
			if page.LastChange != int64(len(all)) {
				t.Fatalf("last_change: got %d after %d changes", page.LastChange, len(all))
			}
			break
		}
	}
	for i, c := range all {
		if c.ChangeSeq != int64(i+1) || c.ConvID != k.conv {
			t.Fatalf("change %d is %+v", i+1, c)
		}
	}
	return all
}

// Each op by REST and by socket: the answer, what the others see live and what who
// was away fetches are the same.
func TestChangesAreSeenByAll(t *testing.T) {
	t.Parallel()
	for name, do := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newTalk(t, strict(t))
			id, gone := k.say(t, "hi"), k.say(t, "oops")
			for _, step := range []struct {
				client, op string
				in         obj
				live       string // what Alex sees; empty: nothing
			}{
				{k.jerry, "msg.edit", k.fields(id, obj{"text": "ho", "attr": obj{"a": 1}, "expected_version": 1}), `1 edit jerry : "ho" v2 status 1 pin 0 0 reactions`},
				{k.jerry, "msg.edit", k.fields(id, obj{"attr": nil}), `2 edit jerry : "ho" v3 status 1 pin 0 0 reactions`},
				{k.tom, "msg.react", k.fields(id, obj{"emoji": "👍"}), `3 react tom 👍: "ho" v3 status 1 pin 0 1 reactions`},
				{k.tom, "msg.react", k.fields(id, obj{"emoji": "👍", "on": 0}), `4 react tom 👍: "ho" v3 status 1 pin 0 0 reactions`},
				{k.tom, "msg.pin", k.fields(id, nil), `5 pin tom : "ho" v3 status 1 pin 1 0 reactions`},
				{k.tom, "msg.pin", k.fields(id, obj{"on": 0}), `6 pin tom : "ho" v3 status 1 pin 0 0 reactions`},
				{k.tom, "msg.delete", k.fields(id, nil), ``},
				{k.jerry, "msg.recall", k.fields(gone, nil), `8 recall jerry : "" v1 status 3 pin 0 0 reactions`},
			} {
				for range 2 { // the second is a retry
					ans := do(t, k, step.client, step.op, step.in).want(t, step.op, 0)
					if ans.Data[0] == '{' && ans.text("msg_id") != id {
						t.Errorf("%s answers %s, want the message", step.op, ans)
					}
				}
				if step.live == "" { // for who did it alone
					k.sockets[step.client].expect(t, "msg.updated")
					continue
				}
				for client, s := range k.sockets {
					got := s.expect(t, "msg.updated")
					var c change
					got.into(t, &c)
					if c.String() != step.live || c.Time == 0 {
						t.Errorf("%s, live to %s: got %s, want %s", step.op, client, c, step.live)
					}
				}
			}
			for _, s := range k.sockets {
				s.nothing(t, "msg.updated") // retries are no changes
			}
			want := `[1 edit jerry : "ho" v3 status 1 pin 0 0 reactions 2 edit jerry : "ho" v3 status 1 pin 0 0 reactions ` +
				`3 react tom 👍: "ho" v3 status 1 pin 0 0 reactions 4 react tom 👍: "ho" v3 status 1 pin 0 0 reactions ` +
				`5 pin tom : "ho" v3 status 1 pin 0 0 reactions 6 pin tom : "ho" v3 status 1 pin 0 0 reactions ` +
				`7 none - 8 recall jerry : "" v1 status 3 pin 0 0 reactions]`
			if got := fmt.Sprint(k.changes(t, k.iron)); got != want {
				t.Errorf("who was away fetches\n%s, want\n%s", got, want)
			}
			if got := k.changes(t, k.tom)[6].String(); got != `7 delete tom : "" v3 status 2 pin 0 0 reactions` {
				t.Errorf("who deleted it for itself fetches %s", got)
			}
			k.sameRanges(t)
		})
	}
}

// Of many edits of one version one wins, and each retry of it is the same edit.
func TestOneEditOfAVersionWins(t *testing.T) {
	t.Parallel()
	k := newTalk(t, dev(t))
	id := k.say(t, "0")
	var all sync.WaitGroup
	codes := make([]int, 20)
	for i := range codes {
		all.Go(func() {
			ans, err := k.a.s.try("PUT", convPath(k.conv, "message", id), k.a.server(), obj{"text": fmt.Sprint("edit ", i), "expected_version": 1})
			if err != nil {
				t.Error(err)
				return
			}
			codes[i] = ans.Code
		})
	}
	all.Wait()
	slices.Sort(codes)
	if codes[0] != 0 || codes[1] != 4013 || codes[19] != 4013 {
		t.Errorf("codes of 20 edits of version 1: %v, want one 0 and else 4013", codes)
	}
	if got := k.changesByServer(t); len(got) != 1 {
		t.Errorf("%d changes, want 1", len(got))
	}
	won := k.a.must(t, "GET", convPath(k.conv, "message", id), nil)
	k.a.must(t, "PUT", convPath(k.conv, "message", id), obj{"text": won.text("text"), "expected_version": 1})
	if got := k.a.must(t, "GET", convPath(k.conv, "message", id), nil); string(got.Data) != string(won.Data) || won.number("version") != 2 {
		t.Errorf("after a retry: got %s, want %s", got, won)
	}
}

func (k *talk) changesByServer(t *testing.T) []change {
	t.Helper()
	var page struct {
		Data []change `json:"data"`
	}
	k.a.must(t, "GET", convPath(k.conv, "changes?limit=200"), nil).into(t, &page)
	return page.Data
}

// Live changes come in the order of their numbers, among all that happens at once.
func TestChangesComeInOrder(t *testing.T) {
	t.Parallel()
	k := newTalk(t, dev(t))
	ids := []string{k.say(t, "a"), k.say(t, "b"), k.say(t, "c")}
	const each = 30
	var all sync.WaitGroup
	for i, client := range []string{k.tom, k.jerry, k.alex} {
		all.Go(func() {
			for n := range each {
				in := k.fields(ids[(i+n)%3], obj{"emoji": "ok", "on": n/3%2*-1 + 1})
				if _, err := k.sockets[client].try("msg.react", in); err != nil {
					t.Error(err)
				}
				if _, err := k.a.s.try("PUT", convPath(k.conv, "message", ids[i]), k.a.server(), obj{"text": fmt.Sprint(client, n)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	last := k.a.must(t, "GET", convPath(k.conv), nil).number("last_change")
	if last < 3*each {
		t.Fatalf("last_change is %d after %d edits", last, 3*each)
	}
	for client, s := range k.sockets {
		for want := range last {
			var c change
			s.expect(t, "msg.updated").into(t, &c)
			if c.ChangeSeq != want+1 {
				t.Fatalf("%s: change %d comes after %d", client, c.ChangeSeq, want)
			}
			if c.Message.ChangeSeq != c.ChangeSeq {
				t.Fatalf("%s: change %d shows the message as of %d", client, c.ChangeSeq, c.Message.ChangeSeq)
			}
		}
		s.nothing(t, "msg.updated")
	}
}

// The answer comes before the event that it caused.
func TestTheAnswerComesBeforeItsEvent(t *testing.T) {
	t.Parallel()
	k := newTalk(t, strict(t))
	id := k.say(t, "hi")
	s := k.sockets[k.jerry]
	s.ping(t)
	s.forget()
	for i := range 20 {
		if _, err := s.Post("msg.edit", k.fields(id, obj{"text": fmt.Sprint(i)})); err != nil {
			t.Fatal(err)
		}
		if first, second := s.next(t), s.next(t); first.Type != "msg.edit.success" || second.Type != "msg.updated" {
			t.Fatalf("edit %d: got %s, then %s", i, first, second)
		}
	}
}

// Who joined later is told nothing of what became of earlier messages where the
// history is private, and all of it where it is not.
func TestChangesToEarlierMessages(t *testing.T) {
	t.Parallel()
	for name, private := range map[string]string{"private": "on", "open": "off"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := strictServer.get(t)
			a := newApp(t, s, unique("history"), "--private-history", private)
			eventually(t, "the app is known", func() bool { return s.once(t, "GET", "/im/users", a.server(), nil).Code == 0 })
			k := newTalk(t, a)
			early := k.say(t, "early")
			late := a.user(t, "late")
			a.must(t, "POST", convPath(k.conv, "members"), obj{"client_ids": []string{late}})
			c := a.login(t, late, "phone")
			after := k.say(t, "after")
			a.must(t, "PUT", convPath(k.conv, "message", early), obj{"text": "EARLY"})
			a.must(t, "PUT", convPath(k.conv, "message", after), obj{"text": "AFTER"})
			got := []string{c.expect(t, "msg.updated").String()}
			if private == "off" {
				got = append(got, c.expect(t, "msg.updated").String())
			}
			c.nothing(t, "msg.updated")
			fetched := fmt.Sprint(k.changes(t, late))
			for way, seen := range map[string]string{"live": fmt.Sprint(got), "fetched": fetched} {
				if !strings.Contains(seen, "AFTER") || strings.Contains(seen, "EARLY") != (private == "off") {
					t.Errorf("%s: who joined later sees %s", way, seen)
				}
			}
		})
	}
}

// What one deleted for itself comes back by no later change, live or fetched.
func TestWhatOneDeletedStaysDeleted(t *testing.T) {
	t.Parallel()
	k := newTalk(t, strict(t))
	id := k.say(t, "hi")
	k.a.s.call(t, "DELETE", convPath(k.conv, "message", id), k.a.as(t, k.alex), nil).want(t, "delete for me", 0)
	alex, tom := k.sockets[k.alex], k.sockets[k.tom]
	alex.expect(t, "msg.updated")
	k.a.must(t, "PUT", convPath(k.conv, "message", id), obj{"text": "EDITED"})
	if got := tom.expect(t, "msg.updated"); !strings.Contains(got.String(), "EDITED") {
		t.Errorf("another sees %s, want the edit", got)
	}
	if got := alex.expect(t, "msg.updated"); strings.Contains(got.String(), "EDITED") || !strings.Contains(got.String(), `"msg_status":2`) {
		t.Errorf("who deleted it sees %s, want it blank", got)
	}
	h := k.a.as(t, k.alex)
	for _, path := range []string{"message", "message?after_seq=0", "message/" + id, "changes"} {
		if got := k.a.s.call(t, "GET", convPath(k.conv, path), h, nil).want(t, path, 0); strings.Contains(string(got.Raw), "EDITED") {
			t.Errorf("%s: got %s", path, got)
		}
	}
}

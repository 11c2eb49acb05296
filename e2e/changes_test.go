package e2e

import (
	"fmt"
	"maps"
	"strings"
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

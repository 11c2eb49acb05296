package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
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

// sameRanges asserts that msg.ranges answers what msg.list and changes do.
func (k *talk) sameRanges(t *testing.T) {
	t.Helper()
	h := k.a.as(t, k.iron)
	var history, log struct {
		Data json.RawMessage `json:"data"`
	}
	k.a.s.call(t, "GET", convPath(k.conv, "message?after_seq=0&limit=200"), h, nil).into(t, &history)
	k.a.s.call(t, "GET", convPath(k.conv, "changes?limit=200"), h, nil).into(t, &log)
	list := []obj{{"conv_id": k.conv, "after_seq": 0, "after_change": 0, "limit": 200}}
	for name, body := range map[string]any{"in an object": obj{"ranges": list}, "bare": list} {
		var got []struct {
			Data    json.RawMessage `json:"data"`
			Changes json.RawMessage `json:"changes"`
		}
		k.a.s.call(t, "POST", "/im/messages/ranges", h, body).want(t, "ranges "+name, 0).into(t, &got)
		if len(got) != 1 || string(got[0].Data) != string(history.Data) || string(got[0].Changes) != string(log.Data) {
			t.Errorf("ranges %s: got %s and %s, want %s and %s", name, got[0].Data, got[0].Changes, history.Data, log.Data)
		}
	}
}

// SPEC 8.7: a recalled text is served nowhere, whoever asks and however.
func TestWhatIsRecalledIsServedNowhere(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	k := newTalk(t, createApp(t, s))
	up := s.upload(t, k.a.as(t, k.jerry), multipartFile{"file", "a.png", realPNG(t)}).want(t, "upload", 0)
	var link string
	up.into(t, &link)
	path := strings.TrimPrefix(link, "http://"+s.Addr)
	send := obj{
		"from_client": k.jerry, "type": -2, "text": "SECRET1", "attr": obj{"k": "SECRET2"}, "url": link, "client_msg_id": "retry",
		"mention_client_ids": []string{k.alex}, "mention_all": 1,
	}
	id := k.a.must(t, "POST", convPath(k.conv, "message"), send).text("msg_id")
	k.a.must(t, "PUT", convPath(k.conv, "message", id), obj{"text": "SECRET3"})
	k.a.must(t, "POST", convPath(k.conv, "message", id, "reactions"), obj{"emoji": "ok", "client_id": k.alex})
	k.a.must(t, "POST", convPath(k.conv, "message", id, "pin"), obj{})
	k.a.must(t, "POST", convPath(k.conv, "message"), obj{"from_client": k.alex, "type": -1, "text": "quoting", "reply_to": id})
	if status, _ := s.probe(path); status != http.StatusOK {
		t.Fatalf("the file before: HTTP %d", status)
	}
	k.a.s.call(t, "POST", convPath(k.conv, "message", id, "recall"), k.a.as(t, k.jerry), obj{}).want(t, "recall", 0)
	if status, _ := s.probe(path); status != http.StatusNotFound {
		t.Errorf("the file of a recalled message: HTTP %d, want 404", status)
	}

	secrets := []string{"SECRET", path[strings.LastIndex(path, "/"):]}
	look := func(t *testing.T) {
		for _, client := range []string{"", k.tom, k.jerry, k.alex, k.iron} {
			h := k.a.server()
			self := k.iron
			if client != "" {
				h, self = k.a.as(t, client), client
			}
			for _, q := range []struct {
				method, path string
				body         any
			}{
				{"GET", convPath(k.conv, "message"), nil}, {"GET", convPath(k.conv, "message?after_seq=0"), nil},
				{"GET", convPath(k.conv, "message?before_seq=9"), nil}, {"GET", convPath(k.conv, "message", id), nil},
				{"GET", convPath(k.conv, "changes"), nil}, {"GET", convPath(k.conv, "pins"), nil}, {"GET", convPath(k.conv), nil},
				{"POST", "/im/messages/ranges", obj{"client_id": self, "ranges": []obj{{"conv_id": k.conv, "after_seq": 0, "after_change": 0}}}},
				{"GET", userPath(self, "conversations"), nil}, {"GET", userPath(self, "sync"), nil},
				{"POST", convPath(k.conv, "message", id, "recall"), obj{}},
				{"PUT", convPath(k.conv, "message", id), obj{"text": "again"}},
				{"POST", convPath(k.conv, "message", id, "reactions"), obj{"emoji": "x", "client_id": self}},
			} {
				got := s.call(t, q.method, q.path, h, q.body)
				for _, secret := range secrets {
					if strings.Contains(string(got.Raw), secret) {
						t.Errorf("%s %s by %q holds %s: %s", q.method, q.path, client, secret, got)
					}
				}
			}
		}
	}
	look(t)
	again := k.a.must(t, "POST", convPath(k.conv, "message"), send)
	if again.text("msg_id") != id || strings.Contains(string(again.Raw), "SECRET") {
		t.Errorf("the retry of the send: got %s, want the first message %s", again, id)
	}
	late := k.a.login(t, k.iron, "pad")
	late.nothing(t, "msg.new")
	s.Kill(t)
	s.Restart(t)
	look(t)
	if status, _ := s.probe(path); status != http.StatusNotFound {
		t.Errorf("the file after a restart: HTTP %d, want 404", status)
	}
}

// Files stay as long as anybody's message shows them, and go with a client that is
// erased.
func TestFilesGoWhenNothingShowsThem(t *testing.T) {
	t.Parallel()
	a := strict(t)
	k := newTalk(t, a)
	show := func(client, link string) string {
		return a.must(t, "POST", convPath(k.conv, "message"), obj{"from_client": client, "type": -2, "url": link}).text("msg_id")
	}
	upload := func(client string) (link, path string) {
		a.s.upload(t, a.as(t, client), multipartFile{"file", "a.png", realPNG(t)}).want(t, "upload", 0).into(t, &link)
		return link, strings.TrimPrefix(link, "http://"+a.s.Addr)
	}
	there := func(what, path string, want int) {
		t.Helper()
		if status, _ := a.s.probe(path); status != want {
			t.Errorf("%s: HTTP %d, want %d", what, status, want)
		}
	}
	link, path := upload(k.jerry)
	first, forwarded := show(k.jerry, link), show(k.alex, link)
	a.must(t, "POST", convPath(k.conv, "message", first, "recall"), obj{})
	there("forwarded by another", path, http.StatusOK)
	a.must(t, "POST", convPath(k.conv, "message", forwarded, "recall"), obj{})
	there("recalled there too", path, http.StatusNotFound)

	link, path = upload(k.jerry)
	stolen := show(k.alex, link)
	a.must(t, "POST", convPath(k.conv, "message", stolen, "recall"), obj{})
	there("a recall by who did not upload it", path, http.StatusOK)
	show(k.jerry, link)
	a.must(t, "DELETE", userPath(k.jerry)+"?messages=erase", nil)
	eventually(t, "the file of an erased client is gone", func() bool {
		status, _ := a.s.probe(path)
		return status == http.StatusNotFound
	})
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
		if _, err := s.post("msg.edit", k.fields(id, obj{"text": fmt.Sprint(i)})); err != nil {
			t.Fatal(err)
		}
		if first, second := s.next(t), s.next(t); first.Type != "msg.edit.success" || second.Type != "msg.updated" {
			t.Fatalf("edit %d: got %s, then %s", i, first, second)
		}
	}
}

// What is too old stays as it is to its sender; owner and backend may all the same.
func TestWindowsOfEditsAndRecalls(t *testing.T) {
	t.Parallel()
	s := strictServer.get(t)
	a := newApp(t, s, unique("windows"), "--edit-window", "1", "--recall-window", "1")
	eventually(t, "the app is known", func() bool { return s.once(t, "GET", "/im/users", a.server(), nil).Code == 0 })
	k := newTalk(t, a)
	fresh, other, old := k.say(t, "a"), k.say(t, "b"), k.say(t, "c") // the newest is too old last
	h := a.as(t, k.jerry)
	s.call(t, "PUT", convPath(k.conv, "message", fresh), h, obj{"text": "edited"}).want(t, "an edit in time", 0)
	s.call(t, "POST", convPath(k.conv, "message", fresh, "recall"), h, obj{}).want(t, "a recall in time", 0)
	var late *answer
	eventually(t, "the message is too old to be edited", func() bool {
		late = s.call(t, "PUT", convPath(k.conv, "message", old), h, obj{"text": unique("late")}).want(t, "an edit", 0, 4004)
		return late.Code == 4004
	})
	recall := s.call(t, "POST", convPath(k.conv, "message", other, "recall"), h, obj{}).want(t, "a late recall", 4004)
	if !strings.Contains(late.Message, "msg_id is too old to be edited") || !strings.Contains(recall.Message, "msg_id is too old to be recalled") {
		t.Errorf("what is too old says %q and %q", late.Message, recall.Message)
	}
	s.call(t, "POST", convPath(k.conv, "message", fresh, "recall"), h, obj{}).want(t, "a late retry of a recall", 0)
	a.must(t, "PUT", convPath(k.conv, "message", old), obj{"text": "by the backend"})
	s.call(t, "POST", convPath(k.conv, "message", other, "recall"), a.as(t, k.tom), obj{}).want(t, "the owner's recall", 0)
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

// Who is taken out sees no more of it, live or by asking.
func TestChangesEndWithTheMembership(t *testing.T) {
	t.Parallel()
	k := newTalk(t, strict(t))
	id := k.say(t, "hi")
	alex := k.sockets[k.alex]
	k.a.s.call(t, "DELETE", convPath(k.conv, "message", id), k.a.as(t, k.alex), nil).want(t, "delete for me", 0)
	alex.expect(t, "msg.updated")
	k.a.must(t, "DELETE", convPath(k.conv, "members"), obj{"client_ids": []string{k.alex}})
	k.a.must(t, "PUT", convPath(k.conv, "message", id), obj{"text": "after"})
	k.sockets[k.tom].expect(t, "msg.updated")
	alex.nothing(t, "msg.updated")
	for op, in := range map[string]obj{
		"changes": {}, "msg.pins": {}, "msg.edit": {"text": "x"}, "msg.recall": {}, "msg.delete": {}, "msg.react": {"emoji": "x"}, "msg.pin": {},
	} {
		for name, do := range ways {
			do(t, k, k.alex, op, k.fields(id, in)).want(t, op+" by "+name, 4004)
		}
	}
}

func TestRangesOfManyConversations(t *testing.T) {
	t.Parallel()
	k := newTalk(t, dev(t))
	var asked []obj
	for i := range 200 {
		conv := k.conv
		if i%4 != 0 {
			conv = fmt.Sprintf("%032x", i)
		}
		asked = append(asked, obj{"conv_id": conv, "after_seq": 0})
	}
	foreign := k.a.group(t, k.tom)
	asked[1]["conv_id"], asked[2]["conv_id"] = foreign, "no id"
	k.say(t, "hi")
	h := k.a.server()
	for name, do := range map[string]func(data any) *answer{
		"REST":   func(data any) *answer { return k.a.s.call(t, "POST", "/im/messages/ranges", h, data) },
		"socket": func(data any) *answer { return k.sockets[k.jerry].ask(t, "msg.ranges", data) },
	} {
		data := any(obj{"client_id": k.jerry, "ranges": asked})
		if name == "socket" {
			data = asked // bare
		}
		var got []struct {
			ConvID  string            `json:"conv_id"`
			Data    []json.RawMessage `json:"data"`
			Code    int               `json:"code"`
			Message string            `json:"message"`
		}
		ans := do(data).want(t, name, 0)
		ans.into(t, &got)
		for i, r := range got {
			code, messages := 4011, 0
			switch {
			case i == 1:
				code = 4004
			case i%4 == 0:
				code, messages = 0, 1
			}
			if r.ConvID != asked[i]["conv_id"] || r.Code != code || len(r.Data) != messages || !strings.HasPrefix(r.Message, textOf[code]) && code != 0 {
				t.Errorf("%s: range %d is %+v, want code %d and %d messages", name, i, r, code, messages)
			}
		}
	}
	english := k.a.s.call(t, "POST", "/im/messages/ranges", h.with(headers{"Accept-Language": "en"}), obj{"client_id": k.jerry, "ranges": asked[2:3]})
	if want := `[{"conv_id":"no id","code":4011,"message":"unknown conversation"}]`; string(english.Data) != want {
		t.Errorf("in English: got %s, want %s", english.Data, want)
	}
}

package e2e

import (
	"net/http"
	"strings"
	"testing"
)

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
	show(k.jerry, link)
	a.must(t, "DELETE", userPath(k.jerry)+"?messages=erase", nil)
	eventually(t, "the file of an erased client is gone", func() bool {
		status, _ := a.s.probe(path)
		return status == http.StatusNotFound
	})
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
	if !strings.Contains(late.Message, "msg_id: 已超过可编辑的时间") || !strings.Contains(recall.Message, "msg_id: 已超过可撤回的时间") {
		t.Errorf("what is too old says %q and %q", late.Message, recall.Message)
	}
	s.call(t, "POST", convPath(k.conv, "message", fresh, "recall"), h, obj{}).want(t, "a late retry of a recall", 0)
	a.must(t, "PUT", convPath(k.conv, "message", old), obj{"text": "by the backend"})
	s.call(t, "POST", convPath(k.conv, "message", other, "recall"), a.as(t, k.tom), obj{}).want(t, "the owner's recall", 0)
}

// messages=erase takes back what the user reacted with, live and for who was away.
func TestAnErasedUsersReactionsGo(t *testing.T) {
	t.Parallel()
	k := newTalk(t, strict(t))
	said := k.say(t, "hi")
	path := convPath(k.conv, "message", said, "reactions")
	for _, r := range []struct{ client, emoji string }{{k.alex, "👍"}, {k.alex, "🎉"}, {k.tom, "👍"}} {
		k.a.must(t, "POST", path, obj{"client_id": r.client, "emoji": r.emoji})
	}
	k.a.must(t, "DELETE", userPath(k.alex)+"?messages=erase", nil)
	for _, want := range []string{`4 react alex 👍: "hi" v1 status 1 pin 0 2 reactions`, `5 react alex 🎉: "hi" v1 status 1 pin 0 1 reactions`} {
		for {
			var got change
			k.sockets[k.jerry].expect(t, "msg.updated").into(t, &got)
			if got.ChangeSeq < 4 {
				continue
			}
			if got.String() != want || got.On == nil || *got.On != 0 {
				t.Errorf("live: got %s, on %v\nwant %s, on 0", got, got.On, want)
			}
			break
		}
	}
	all := k.changes(t, k.iron)
	if len(all) != 5 {
		t.Fatalf("changes: got %v, want 5", all)
	}
	for i, emoji := range []string{"👍", "🎉"} {
		c := all[3+i]
		if c.Kind != "react" || c.Emoji != emoji || c.On == nil || *c.On != 0 || c.ClientID == nil || *c.ClientID != k.alex {
			t.Errorf("changes: got %s, want %s taken back of %s", c, emoji, k.alex)
		}
	}
	for _, read := range []string{convPath(k.conv, "message", said), convPath(k.conv, "message?after_seq=0")} {
		got := string(k.a.must(t, "GET", read, nil).Data)
		if strings.Contains(got, k.alex) || strings.Contains(got, "🎉") || !strings.Contains(got, k.tom) {
			t.Errorf("%s: got %s, want the 👍 of %s alone", read, got, k.tom)
		}
	}
}

package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// No answer contains a recalled text, whoever makes which call.
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

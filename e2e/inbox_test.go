package e2e

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// view is a conversation as one of its members sees it.
type view struct {
	ConvID      string   `json:"conv_id"`
	ClientNum   int      `json:"client_num"`
	MuteAll     int      `json:"mute_all"`
	LastSeq     int64    `json:"last_seq"`
	LastChange  int64    `json:"last_change"`
	ReadSeq     int64    `json:"read_seq"`
	ReceivedSeq int64    `json:"received_seq"`
	Unread      int64    `json:"unread"`
	Mentions    int64    `json:"mentions"`
	JoinSeq     int64    `json:"join_seq"`
	FloorSeq    int64    `json:"floor_seq"`
	Role        string   `json:"role"`
	Nickname    *string  `json:"nickname"`
	MuteUntil   *int64   `json:"mute_until"`
	Pin         int      `json:"pin"`
	Mute        int      `json:"mute"`
	Archive     int      `json:"archive"`
	UnreadMark  int      `json:"unread_mark"`
	Draft       *string  `json:"draft"`
	LastMessage *message `json:"last_message"`
}

// short is what of a view most tests are about.
func (v view) short() string {
	last := "nothing"
	if v.LastMessage != nil {
		last = fmt.Sprint(v.LastMessage.text(), " (", v.LastMessage.MsgStatus, ")")
	}
	return fmt.Sprintf("unread %d mentions %d read %d floor %d last %s", v.Unread, v.Mentions, v.ReadSeq, v.FloorSeq, last)
}

// inbox is the list of a client, all pages of it by cursor.
func (a *app) inbox(t *testing.T, client string, query ...string) []view {
	t.Helper()
	var all []view
	for cursor := ""; ; {
		path := userPath(client, "conversations") + "?" + strings.Join(append(query, "size=3", "cursor="+url.QueryEscape(cursor)), "&")
		var page struct {
			Data       []view  `json:"data"`
			Total      int     `json:"total"`
			NextCursor *string `json:"next_cursor"`
		}
		a.must(t, "GET", path, nil).into(t, &page)
		all = append(all, page.Data...)
		if page.NextCursor == nil {
			if page.Total != len(all) {
				t.Errorf("the list of %s says %d and holds %d", client, page.Total, len(all))
			}
			return all
		}
		cursor = *page.NextCursor
	}
}

// view is one conversation as a client sees it, by the list.
func (a *app) view(t *testing.T, client, conv string) view {
	t.Helper()
	all := a.inbox(t, client)
	i := slices.IndexFunc(all, func(v view) bool { return v.ConvID == conv })
	if i < 0 {
		t.Fatalf("%s does not have %s in its list %+v", client, conv, all)
	}
	return all[i]
}

func (a *app) wantView(t *testing.T, what, client, conv, want string) {
	t.Helper()
	if got := a.view(t, client, conv).short(); got != want {
		t.Errorf("%s, as %s sees it:\ngot  %s\nwant %s", what, client, got, want)
	}
}

func (a *app) mark(t *testing.T, client, conv string, marks obj) view {
	t.Helper()
	var v view
	a.must(t, "PUT", userPath(client, "conversations", conv), marks).into(t, &v)
	return v
}

// say sends a message with more fields than a text.
func (a *app) say(t *testing.T, conv, from, text string, more obj) *answer {
	t.Helper()
	body := obj{"from_client": from, "type": -1, "text": text}
	maps.Copy(body, more)
	return a.must(t, "POST", convPath(conv, "message"), body)
}

func (a *app) read(t *testing.T, client, conv string, seq any) *answer {
	t.Helper()
	body := obj{"client_id": client}
	if seq != nil {
		body["seq"] = seq
	}
	return a.must(t, "POST", convPath(conv, "read"), body)
}

// Unread is last_seq − read_seq without one's own messages.
func TestUnreadIsWhatOneHasNotRead(t *testing.T) {
	t.Parallel()
	a := dev(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.group(t, tom, jerry)
	a.wantView(t, "nothing said", jerry, conv, "unread 0 mentions 0 read 0 floor 0 last nothing")
	first := a.send(t, conv, tom, "one").text("msg_id")
	a.wantView(t, "another spoke", jerry, conv, "unread 1 mentions 0 read 0 floor 0 last one (1)")
	a.wantView(t, "the speaker", tom, conv, "unread 0 mentions 0 read 1 floor 0 last one (1)")
	a.say(t, conv, tom, "two", obj{"mention_client_ids": []string{jerry, jerry}})
	a.say(t, conv, tom, "three", obj{"mention_all": 1, "mention_client_ids": []string{jerry}})
	a.say(t, conv, tom, "now", obj{"transient": 1, "mention_all": 1})
	a.wantView(t, "mentioned by name, and with everyone", jerry, conv, "unread 3 mentions 2 read 0 floor 0 last three (1)")
	a.must(t, "POST", convPath(conv, "message", first, "recall"), nil)
	a.wantView(t, "a recalled message is not unread any more", jerry, conv, "unread 2 mentions 2 read 0 floor 0 last three (1)")
	got := a.read(t, jerry, conv, 2)
	a.wantView(t, "two read", jerry, conv, "unread 1 mentions 1 read 2 floor 0 last three (1)")
	if got.number("unread") != 1 || got.number("mentions") != 1 || got.number("read_seq") != 2 || got.number("received_seq") != 2 || got.text("conv_id") != conv {
		t.Errorf("read to 2: got %s", got)
	}
	a.send(t, conv, jerry, "four")
	a.wantView(t, "right after its own message", jerry, conv, "unread 0 mentions 0 read 4 floor 0 last four (1)")
	a.wantView(t, "the other", tom, conv, "unread 1 mentions 0 read 3 floor 0 last four (1)")
}

func TestOnlyOnesOwnDevicesLearnOfMarks(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.group(t, tom, jerry)
	phone, pad, other := a.login(t, tom, "phone"), a.login(t, tom, "pad"), a.login(t, jerry, "phone")
	phone.ask(t, "conv.mark", obj{"conv_id": conv, "pin": 1, "draft": "See"}).want(t, "conv.mark", 0)
	var e struct {
		ConvID string `json:"conv_id"`
		View   view   `json:"view"`
	}
	pad.expect(t, "conv.updated").into(t, &e)
	if e.ConvID != conv || e.View.ConvID != conv || e.View.Pin != 1 || e.View.Draft == nil || *e.View.Draft != "See" {
		t.Errorf("the other device got %+v", e)
	}
	other.nothing(t, "conv.updated")
	pad.forget()
	phone.ask(t, "conv.mark", obj{"conv_id": conv, "pin": 1}).want(t, "the same again", 0)
	pad.nothing(t, "conv.updated")
	phone.ask(t, "conv.mark", obj{"client_id": jerry, "conv_id": conv, "pin": 1}).want(t, "another's", 4004)
	phone.ask(t, "conv.list", obj{"client_id": jerry}).want(t, "another's list", 4004)
}

// The same ids in another app are others.
func TestAnotherAppsInboxIsAnother(t *testing.T) {
	t.Parallel()
	a := strict(t)
	b := createApp(t, a.s)
	tom := a.user(t, "tom")
	conv := a.group(t, tom)
	b.call(t, "GET", userPath(tom, "conversations"), nil).want(t, "before it is known there", 211)
	b.call(t, "GET", userPath(tom, "sync"), nil).want(t, "before it is known there", 211)
	b.must(t, "POST", "/im/users", obj{"client_id": tom})
	if got := b.inbox(t, tom); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
	for what, h := range map[string]headers{"its backend": b.server(), "its client": b.as(t, tom)} {
		for method, path := range map[string]string{"PUT": userPath(tom, "conversations", conv), "POST": convPath(conv, "read"), "GET": convPath(conv, "readers")} {
			body := any(obj{"pin": 1, "client_id": tom})
			if method == "GET" {
				body = nil
			}
			b.s.call(t, method, path, h, body).want(t, what+" "+path, 4011)
		}
	}
	if v := a.view(t, tom, conv); v.Pin != 0 {
		t.Errorf("another app's mark: %+v", v)
	}
}

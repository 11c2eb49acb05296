package e2e

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
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

// SPEC 7: unread = last_seq − read_seq, own messages not counted.
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

func TestARecalledMentionIsNone(t *testing.T) {
	t.Parallel()
	a := dev(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.group(t, tom, jerry)
	id := a.say(t, conv, tom, "hey", obj{"mention_client_ids": []string{jerry}}).text("msg_id")
	a.wantView(t, "before", jerry, conv, "unread 1 mentions 1 read 0 floor 0 last hey (1)")
	a.must(t, "POST", convPath(conv, "message", id, "recall"), nil)
	a.wantView(t, "after", jerry, conv, "unread 0 mentions 0 read 0 floor 0 last  (3)")
}

func TestWhoCameBackHasNothingUnreadOfBefore(t *testing.T) {
	t.Parallel()
	a := dev(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.group(t, tom, jerry)
	a.send(t, conv, tom, "one")
	a.mark(t, jerry, conv, obj{"pin": 1, "draft": "so"})
	a.must(t, "DELETE", convPath(conv, "members"), obj{"client_ids": []string{jerry}})
	a.send(t, conv, tom, "two")
	if got := a.inbox(t, jerry); len(got) != 0 {
		t.Errorf("the list of who was removed: got %+v", got)
	}
	a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{jerry}})
	a.wantView(t, "back", jerry, conv, "unread 0 mentions 0 read 2 floor 0 last two (1)")
	if v := a.view(t, jerry, conv); v.JoinSeq != 3 || v.Pin != 0 || v.Draft != nil {
		t.Errorf("who came back has %+v, want it as new", v)
	}
	a.send(t, conv, tom, "three")
	a.wantView(t, "after that", jerry, conv, "unread 1 mentions 0 read 2 floor 0 last three (1)")
}

func TestClearedHistoryIsGoneForOneAlone(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.group(t, tom, jerry)
	var ids []string
	for i := range 5 {
		ids = append(ids, a.send(t, conv, tom, fmt.Sprint("text ", i+1)).text("msg_id"))
	}
	if v := a.mark(t, jerry, conv, obj{"clear_to_seq": 3}); v.short() != "unread 2 mentions 0 read 3 floor 3 last text 5 (1)" {
		t.Errorf("cleared to 3: got %s", v.short())
	}
	h := a.as(t, jerry)
	seqs := func(query string) (seqs []int64) {
		t.Helper()
		var page struct{ Data []message }
		a.s.call(t, "GET", convPath(conv, "message"+query), h, nil).want(t, query, 0).into(t, &page)
		for _, m := range page.Data {
			seqs = append(seqs, m.Seq)
		}
		return seqs
	}
	for query, want := range map[string][]int64{
		"?after_seq=0": {4, 5}, "?before_seq=5": {4}, "?before_seq=3": nil, "?page=1&size=3": {5, 4}, "?page=2&size=3": nil,
	} {
		if got := seqs(query); !slices.Equal(got, want) {
			t.Errorf("%s: got seqs %v, want %v", query, got, want)
		}
	}
	a.s.call(t, "GET", convPath(conv, "message", ids[2]), h, nil).want(t, "a cleared message", 4012)
	a.s.call(t, "GET", convPath(conv, "message", ids[3]), h, nil).want(t, "one that is not", 0)
	a.s.call(t, "GET", convPath(conv, "message", ids[2]), a.as(t, tom), nil).want(t, "for another", 0)
	a.wantView(t, "another", tom, conv, "unread 0 mentions 0 read 5 floor 0 last text 5 (1)")
	if v := a.mark(t, jerry, conv, obj{"clear_to_seq": 1}); v.FloorSeq != 3 {
		t.Errorf("cleared to 1 after 3: got %s", v.short())
	}
	if v := a.mark(t, jerry, conv, obj{"clear_to_seq": int64(1) << 60}); v.short() != "unread 0 mentions 0 read 5 floor 5 last nothing" {
		t.Errorf("all cleared: got %s", v.short())
	}
	a.send(t, conv, tom, "six")
	a.wantView(t, "what comes then", jerry, conv, "unread 1 mentions 0 read 5 floor 5 last six (1)")
}

func TestPrivateHistoryShowsNoLastMessageFromBefore(t *testing.T) {
	t.Parallel()
	s := strictServer.get(t)
	a := newApp(t, s, unique("closed"), "--private-history", "on")
	eventually(t, "the server follows `skein app create`", func() bool { return s.once(t, "GET", "/im/users", a.server(), nil).Code == 0 })
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.group(t, tom)
	a.say(t, conv, tom, "secret", obj{"mention_all": 1})
	a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{jerry}})
	a.wantView(t, "joined after it", jerry, conv, "unread 0 mentions 0 read 1 floor 1 last nothing")
	if got := a.must(t, "GET", userPath(jerry, "sync"), nil); strings.Contains(string(got.Raw), "secret") {
		t.Errorf("sync shows what was said before: %s", got)
	}
	a.s.call(t, "GET", convPath(conv, "readers?seq=1"), a.as(t, jerry), nil).want(t, "readers of what one may not see", 4012)
	a.send(t, conv, tom, "hello")
	a.wantView(t, "what comes after", jerry, conv, "unread 1 mentions 0 read 1 floor 1 last hello (1)")
}

// ids are the conversations of a list.
func ids(views []view) (ids []string) {
	for _, v := range views {
		ids = append(ids, v.ConvID)
	}
	return ids
}

func TestTheListIsPinnedFirstThenByActivity(t *testing.T) {
	t.Parallel()
	a := dev(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	var c []string
	for range 8 {
		c = append(c, a.group(t, tom, jerry))
	}
	for i := range c {
		a.send(t, c[i], jerry, "hi")
	}
	sent := time.Now().UnixMilli()
	eventually(t, "another millisecond", func() bool { return time.Now().UnixMilli() > sent }) // activity is told in those
	a.send(t, c[2], jerry, "hi")
	want := func(what string, got []view, order ...int) {
		t.Helper()
		var wanted []string
		for _, i := range order {
			wanted = append(wanted, c[i])
		}
		if !slices.Equal(ids(got), wanted) {
			t.Errorf("%s: got %v, want %v", what, ids(got), wanted)
		}
	}
	want("by activity", a.inbox(t, tom), 2, 7, 6, 5, 4, 3, 1, 0)
	a.mark(t, tom, c[0], obj{"pin": 1})
	a.mark(t, tom, c[4], obj{"pin": 1})
	want("two pinned", a.inbox(t, tom), 4, 0, 2, 7, 6, 5, 3, 1)
	want("another's", a.inbox(t, jerry), 2, 7, 6, 5, 4, 3, 1, 0)
	a.mark(t, tom, c[7], obj{"archive": 1})
	a.mark(t, tom, c[4], obj{"archive": 1, "pin": 0})
	want("two archived", a.inbox(t, tom), 0, 2, 6, 5, 3, 1)
	want("the archive", a.inbox(t, tom, "archived=1"), 7, 4)
	a.send(t, c[4], jerry, "are you there")
	want("the archive keeps what is active", a.inbox(t, tom, "archived=1"), 4, 7)
	a.mark(t, tom, c[7], obj{"archive": 0})
	want("out of the archive", a.inbox(t, tom, "archived=0"), 0, 2, 7, 6, 5, 3, 1)
}

func TestMarksAreKeptAndTakenAway(t *testing.T) {
	t.Parallel()
	a := dev(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.group(t, tom, jerry)
	text := func(s *string) string {
		if s == nil {
			return "none"
		}
		return *s
	}
	for _, step := range []struct {
		marks obj
		want  string
	}{
		{obj{"pin": 1}, "1 0 0 none"},
		{obj{"mute": true, "draft": "See <you>\n语"}, "1 1 0 See <you>\n语"},
		{obj{"archive": "1", "pin": "0"}, "0 1 1 See <you>\n语"},
		{obj{"draft": nil, "archive": 0}, "0 1 0 none"},
		{obj{"draft": "x", "mute": 0}, "0 0 0 x"},
		{obj{"draft": "", "pin": nil}, "0 0 0 none"},
		{obj{"draft": long(4 << 10)}, "0 0 0 " + long(4<<10)},
	} {
		v := a.mark(t, tom, conv, step.marks)
		kept := slices.Concat(a.inbox(t, tom), a.inbox(t, tom, "archived=1"))[0]
		for what, v := range map[string]view{"answered": v, "kept": kept} {
			if got := fmt.Sprint(v.Pin, " ", v.Mute, " ", v.Archive, " ", text(v.Draft)); got != step.want {
				t.Errorf("%v: %s %.60q, want %.60q", step.marks, what, got, step.want)
			}
		}
	}
	if v := a.view(t, jerry, conv); v.Pin+v.Mute+v.Archive != 0 || v.Draft != nil {
		t.Errorf("another has %+v", v)
	}
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

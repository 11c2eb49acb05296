package e2e

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// unreadTotal is the answer of conv.unread in short.
func unreadTotal(got *answer) string {
	return fmt.Sprint(got.number("unread"), " ", got.number("mentions"), " ", got.number("conversations"))
}

func TestUnreadInAllIsTheSumOfTheList(t *testing.T) {
	t.Parallel()
	a := strict(t)
	b := createApp(t, a.s)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	b.must(t, "POST", "/im/users", obj{"client_id": tom})
	b.must(t, "POST", "/im/users", obj{"client_id": jerry})
	b.send(t, b.group(t, tom, jerry), tom, "in another app")
	c := a.login(t, jerry, "d")
	want := func(what string, muted, all string) {
		t.Helper()
		for query, want := range map[string]string{"": muted, "?muted=0": muted, "?muted=1": all} {
			path := userPath(jerry, "unread") + query
			for who, h := range map[string]headers{"backend": a.server(), "client": a.as(t, jerry)} {
				if got := unreadTotal(a.s.call(t, "GET", path, h, nil).want(t, what, 0)); got != want {
					t.Errorf("%s: %s by the %s: got %s, want %s", what, path, who, got, want)
				}
			}
		}
		for flag, want := range map[int]string{0: muted, 1: all} {
			if got := unreadTotal(c.ask(t, "conv.unread", obj{"muted": flag}).want(t, what, 0)); got != want {
				t.Errorf("%s: by socket, muted %d: got %s, want %s", what, flag, got, want)
			}
		}
		unread, mentions := int64(0), int64(0)
		for _, v := range slices.Concat(a.inbox(t, jerry), a.inbox(t, jerry, "archived=1")) {
			unread, mentions = unread+v.Unread, mentions+v.Mentions
		}
		if sum := fmt.Sprint(unread, " ", mentions); sum != all[:len(sum)] {
			t.Errorf("%s: the list adds up to %s, want %s", what, sum, all)
		}
	}
	want("in nothing", "0 0 0", "0 0 0")
	pair, group, quiet, old := a.conv(t, 1, tom, jerry), a.group(t, tom, jerry), a.group(t, tom, jerry), a.group(t, tom, jerry)
	first := a.send(t, pair, tom, "one").text("msg_id")
	a.send(t, pair, tom, "two")
	a.say(t, group, tom, "all", obj{"mention_all": 1})
	a.say(t, quiet, tom, "you", obj{"mention_client_ids": []string{jerry}})
	a.send(t, old, tom, "five")
	a.send(t, a.group(t, tom), tom, "without Jerry")
	want("said", "5 2 4", "5 2 4")
	a.mark(t, jerry, quiet, obj{"mute": 1})
	a.mark(t, jerry, old, obj{"archive": 1})
	want("muted and archived", "4 1 3", "5 2 4")
	a.must(t, "POST", convPath(pair, "message", first, "recall"), nil)
	want("recalled", "3 1 3", "4 2 4")
	a.read(t, jerry, pair, nil)
	want("read", "2 1 2", "3 2 3")
	a.mark(t, jerry, pair, obj{"unread_mark": 1})
	want("marked", "2 1 3", "3 2 4")
	a.must(t, "POST", convPath(group, "leave"), obj{"client_id": jerry})
	a.must(t, "DELETE", convPath(old), nil)
	want("left and deleted", "0 0 1", "1 1 2")
	c.ask(t, "conv.unread", obj{"client_id": tom}).want(t, "another's", 4004)
	b.s.call(t, "GET", userPath(jerry, "unread"), a.as(t, jerry), nil).want(t, "with a token of another app", 0, 4003)
}

func TestAMarkAsUnreadIsOnesOwnUntilOneReads(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.group(t, tom, jerry)
	a.send(t, conv, tom, "hi")
	a.read(t, jerry, conv, nil)
	phone, pad, other := a.login(t, jerry, "phone"), a.login(t, jerry, "pad"), a.login(t, tom, "phone")
	marked := func(c *socket) int {
		t.Helper()
		var e struct {
			ConvID string `json:"conv_id"`
			View   view   `json:"view"`
		}
		c.expect(t, "conv.updated").into(t, &e)
		if e.ConvID != conv || e.View.Unread != 0 {
			t.Errorf("conv.updated: got %+v", e)
		}
		return e.View.UnreadMark
	}
	cursor := func(client, after string) (next string, marks []int) {
		t.Helper()
		var page struct {
			Conversations []view `json:"conversations"`
			NextCursor    string `json:"next_cursor"`
		}
		a.must(t, "GET", userPath(client, "sync?cursor="+after), nil).into(t, &page)
		for _, v := range page.Conversations {
			marks = append(marks, v.UnreadMark)
		}
		return page.NextCursor, marks
	}
	jerrys, _ := cursor(jerry, "")
	toms, _ := cursor(tom, "")
	for _, step := range []struct {
		op   string
		data obj
	}{
		{"conv.read", obj{"conv_id": conv}},
		{"conv.read", obj{"conv_id": conv, "seq": 0}},
		{"conv.mark", obj{"conv_id": conv, "unread_mark": 0}},
		{"conv.read_all", obj{}},
	} {
		what := fmt.Sprint(step.op, " ", step.data)
		if got := phone.ask(t, "conv.mark", obj{"conv_id": conv, "unread_mark": 1}).want(t, "conv.mark", 0).number("unread_mark"); got != 1 {
			t.Errorf("conv.mark answers unread_mark %d, want 1", got)
		}
		if v := a.view(t, jerry, conv); v.UnreadMark != 1 || v.Unread != 0 {
			t.Errorf("marked: the list shows %+v", v)
		}
		if v := a.view(t, tom, conv); v.UnreadMark != 0 {
			t.Errorf("marked by another: the list shows %+v", v)
		}
		if got := marked(pad); got != 1 {
			t.Errorf("the other device is told unread_mark %d, want 1", got)
		}
		marked(phone) // as of every conv.mark
		var marks []int
		if jerrys, marks = cursor(jerry, jerrys); !slices.Equal(marks, []int{1}) {
			t.Errorf("sync carries the marks %v, want [1]", marks)
		}
		phone.ask(t, step.op, step.data).want(t, what, 0)
		if v := a.view(t, jerry, conv); v.UnreadMark != 0 {
			t.Errorf("%s: the list shows %+v", what, v)
		}
		if got := marked(pad); got != 0 {
			t.Errorf("%s: the other device is told unread_mark %d, want 0", what, got)
		}
		if step.op == "conv.mark" {
			marked(phone)
		}
		phone.nothing(t, "conv.updated")
		if jerrys, marks = cursor(jerry, jerrys); !slices.Equal(marks, []int{0}) {
			t.Errorf("%s: sync carries the marks %v, want [0]", what, marks)
		}
	}
	other.nothing(t, "conv.updated")
	other.nothing(t, "conv.read")
	if _, marks := cursor(tom, toms); len(marks) != 0 {
		t.Errorf("sync tells another of %v", marks)
	}
	phone.ask(t, "conv.received", obj{"conv_id": conv}).want(t, "received", 0)
	a.mark(t, jerry, conv, obj{"unread_mark": 1})
	phone.ask(t, "conv.received", obj{"conv_id": conv}).want(t, "received", 0)
	if v := a.view(t, jerry, conv); v.UnreadMark != 1 {
		t.Errorf("received, not read: the list shows %+v", v)
	}
}

// More conversations than one step of 100, and the events for others and for the own devices.
func TestAllIsReadInOneCall(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	const groups = 130
	convs := make([]string, groups)
	for i := range convs {
		convs[i] = a.group(t, tom, jerry)
		a.send(t, convs[i], tom, "hi")
	}
	quiet, own := a.group(t, tom, jerry), a.group(t, tom, jerry)
	a.send(t, own, jerry, "Jerry's own")
	a.mark(t, jerry, convs[0], obj{"mute": 1})
	a.mark(t, jerry, convs[1], obj{"archive": 1})
	phone, pad, other := a.login(t, jerry, "phone"), a.login(t, jerry, "pad"), a.login(t, tom, "phone")
	phone.ask(t, "conv.read_all", obj{"client_id": tom}).want(t, "another's", 4004)
	if got := phone.ask(t, "conv.read_all", obj{}).want(t, "read all", 0).number("conversations"); got != groups {
		t.Errorf("read: got %d conversations, want %d", got, groups)
	}
	for what, c := range map[string]*socket{"own device": pad, "the other": other} {
		told := map[string]bool{}
		for range groups {
			var e struct {
				ConvID string     `json:"conv_id"`
				Reads  []position `json:"reads"`
			}
			c.expect(t, "conv.read").into(t, &e)
			if fmt.Sprint(e.Reads) != fmt.Sprint([]position{{ClientID: jerry, ReadSeq: 1, ReceivedSeq: 1}}) {
				t.Errorf("%s: got %+v", what, e)
			}
			told[e.ConvID] = true
		}
		slices.Sort(convs)
		if got := slices.Sorted(maps.Keys(told)); !slices.Equal(got, convs) {
			t.Errorf("%s: told of %d conversations, want %d", what, len(got), groups)
		}
		c.nothing(t, "conv.read")
	}
	phone.nothing(t, "conv.read")
	if got := unreadTotal(a.must(t, "GET", userPath(jerry, "unread?muted=1"), nil)); got != "0 0 0" {
		t.Errorf("unread after that: got %s, want 0 0 0", got)
	}
	a.send(t, quiet, tom, "later")
	a.mark(t, jerry, own, obj{"unread_mark": 1})
	for _, want := range []int64{2, 0} {
		if got := a.must(t, "POST", userPath(jerry, "read"), nil).number("conversations"); got != want {
			t.Errorf("read by the backend: got %d conversations, want %d", got, want)
		}
	}
	if got := unreadTotal(a.must(t, "GET", userPath(tom, "unread"), nil)); got != "1 0 1" {
		t.Errorf("unread of another: got %s, want 1 0 1", got)
	}
}

func TestManyReceiptsGoInOneCall(t *testing.T) {
	t.Parallel()
	a := strict(t)
	b := createApp(t, a.s)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	b.must(t, "POST", "/im/users", obj{"client_id": jerry})
	foreign := b.group(t, jerry)
	one, two, three, left := a.group(t, tom, jerry), a.group(t, tom, jerry), a.conv(t, 1, tom, jerry), a.group(t, tom)
	for _, conv := range []string{one, two, three, left} {
		for range 3 {
			a.send(t, conv, tom, "hi")
		}
	}
	a.read(t, jerry, two, 1)
	phone, pad, other := a.login(t, jerry, "phone"), a.login(t, jerry, "pad"), a.login(t, tom, "phone")
	type result struct {
		ConvID      string `json:"conv_id"`
		ReadSeq     *int64 `json:"read_seq"`
		ReceivedSeq *int64 `json:"received_seq"`
		Code        int    `json:"code"`
		Message     string `json:"message"`
	}
	stands := func(conv string, read, received int64) result {
		return result{ConvID: conv, ReadSeq: &read, ReceivedSeq: &received}
	}
	receive := func(what string, got *answer, want ...result) {
		t.Helper()
		var all []result
		got.into(t, &all)
		for i := range all {
			if (all[i].Code == 0) != (all[i].Message == "") {
				t.Errorf("%s: got %+v", what, all[i])
			}
			all[i].Message = ""
		}
		if jsonOf(all) != jsonOf(want) {
			t.Errorf("%s:\ngot  %s\nwant %s", what, jsonOf(all), jsonOf(want))
		}
	}
	receive("by socket", phone.ask(t, "conv.received_many", obj{"receipts": []obj{
		{"conv_id": two, "seq": 2}, {"conv_id": foreign}, {"conv_id": one}, {"conv_id": left, "seq": 1}, {"conv_id": "x"}, {"conv_id": three, "seq": int64(1) << 60},
	}}).want(t, "by socket", 0),
		stands(two, 1, 2), result{ConvID: foreign, Code: 4011}, stands(one, 0, 3), result{ConvID: left, Code: 4004}, result{ConvID: "x", Code: 4011}, stands(three, 0, 3))
	for what, c := range map[string]*socket{"own device": pad, "the other": other} {
		told := map[string][]position{}
		for range 3 {
			var e struct {
				ConvID string     `json:"conv_id"`
				Reads  []position `json:"reads"`
			}
			c.expect(t, "conv.read").into(t, &e)
			told[e.ConvID] = e.Reads
		}
		want := map[string][]position{
			two:   {{ClientID: jerry, ReadSeq: 1, ReceivedSeq: 2}},
			one:   {{ClientID: jerry, ReceivedSeq: 3}},
			three: {{ClientID: jerry, ReceivedSeq: 3}},
		}
		if jsonOf(told) != jsonOf(want) {
			t.Errorf("%s: told %s, want %s", what, jsonOf(told), jsonOf(want))
		}
		c.nothing(t, "conv.read")
	}
	phone.nothing(t, "conv.read")
	receive("backwards, by REST", a.s.call(t, "POST", userPath(jerry, "received"), a.as(t, jerry), obj{"receipts": []obj{{"conv_id": one, "seq": 1}, {"conv_id": two}}}).want(t, "by REST", 0),
		stands(one, 0, 3), stands(two, 1, 3))
	receive("the same twice, by the backend", a.must(t, "POST", userPath(jerry, "received"), obj{"receipts": []obj{{"conv_id": one}, {"conv_id": one, "seq": 2}}}),
		stands(one, 0, 3), stands(one, 0, 3))
	phone.ask(t, "conv.received_many", obj{"client_id": tom, "receipts": []obj{{"conv_id": one}}}).want(t, "another's", 4004)
	receive("of one's own app", b.must(t, "POST", userPath(jerry, "received"), obj{"receipts": []obj{{"conv_id": one}, {"conv_id": foreign}}}),
		result{ConvID: one, Code: 4011}, stands(foreign, 0, 0))
}

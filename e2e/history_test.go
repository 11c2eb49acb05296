package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
)

// msgPage is a numbered page of messages.
type msgPage struct {
	Data        []message `json:"data"`
	CurrentPage int       `json:"current_page"`
	LastPage    int       `json:"last_page"`
	PerPage     int       `json:"per_page"`
	Total       int       `json:"total"`
}

// msgSpan is a window of a history by cursor.
type msgSpan struct {
	Data    []message `json:"data"`
	HasMore bool      `json:"has_more"`
}

func seqs(list []message) []int64 {
	out := []int64{}
	for _, m := range list {
		out = append(out, m.Seq)
	}
	return out
}

// downTo is from, from-1, … to.
func downTo(from, to int64) []int64 {
	out := []int64{}
	for ; from >= to; from-- {
		out = append(out, from)
	}
	return out
}

func upTo(from, to int64) []int64 {
	out := downTo(to, from)
	slices.Reverse(out)
	return out
}

// SPEC 3 and 6: pages newest first, cursors, and the same by socket.
func TestHistoryPagesAndCursors(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.group(t, one, two)
	const n = 57
	for i := range n {
		if got := a.send(t, conv, one, fmt.Sprint("text ", i+1)).number("seq"); got != int64(i+1) {
			t.Fatalf("seq of message %d: got %d", i+1, got)
		}
	}
	c := a.login(t, two, "d")
	get := func(query string, data obj, v any) {
		t.Helper()
		rest := a.must(t, "GET", convPath(conv, "message"+query), nil)
		rest.into(t, v)
		data["conv_id"] = conv
		if socket := c.ask(t, "msg.list", data); string(socket.Data) != string(rest.Data) {
			t.Errorf("msg.list %v by socket: got %s, want as by REST %s", data, socket, rest)
		}
	}
	for _, tt := range []struct {
		query         string
		data          obj
		seqs          []int64
		page, per, of int
	}{
		{"", obj{}, downTo(57, 48), 1, 10, 6},
		{"?page=1", obj{"page": 1}, downTo(57, 48), 1, 10, 6},
		{"?page=6", obj{"page": 6}, downTo(7, 1), 6, 10, 6},
		{"?page=7", obj{"page": 7}, downTo(0, 1), 7, 10, 6},
		{"?page=100000&size=100", obj{"page": 100000, "size": 100}, downTo(0, 1), 100000, 100, 1},
		{"?page=2&size=20", obj{"page": 2, "size": 20}, downTo(37, 18), 2, 20, 3},
		{"?size=1&page=57", obj{"page": 57, "size": 1}, downTo(1, 1), 57, 1, 57},
		{"?size=100", obj{"size": 100}, downTo(57, 1), 1, 100, 1},
		{"?size=57", obj{"size": 57}, downTo(57, 1), 1, 57, 1},
	} {
		var p msgPage
		get(tt.query, tt.data, &p)
		if !slices.Equal(seqs(p.Data), tt.seqs) || p.CurrentPage != tt.page || p.PerPage != tt.per || p.LastPage != tt.of || p.Total != n {
			t.Errorf("page %q: got seqs %v, page %d of %d, %d each, %d in all; want %v, %d of %d, %d each, %d in all",
				tt.query, seqs(p.Data), p.CurrentPage, p.LastPage, p.PerPage, p.Total, tt.seqs, tt.page, tt.of, tt.per, n)
		}
	}
	for _, tt := range []struct {
		query string
		data  obj
		seqs  []int64
		more  bool
	}{
		{"?after_seq=0", obj{"after_seq": 0}, upTo(1, 50), true},
		{"?after_seq=50", obj{"after_seq": 50}, upTo(51, 57), false},
		{"?after_seq=7&limit=50", obj{"after_seq": 7, "limit": 50}, upTo(8, 57), false},
		{"?after_seq=6&limit=50", obj{"after_seq": 6, "limit": 50}, upTo(7, 56), true},
		{"?after_seq=57", obj{"after_seq": 57}, upTo(1, 0), false},
		{"?after_seq=1000000", obj{"after_seq": 1000000}, upTo(1, 0), false},
		{"?after_seq=0&limit=200", obj{"after_seq": 0, "limit": 200}, upTo(1, 57), false},
		{"?after_seq=3&limit=1", obj{"after_seq": 3, "limit": 1}, upTo(4, 4), true},
		{"?before_seq=58", obj{"before_seq": 58}, downTo(57, 8), true},
		{"?before_seq=1000000", obj{"before_seq": 1000000}, downTo(57, 8), true},
		{"?before_seq=8", obj{"before_seq": 8}, downTo(7, 1), false},
		{"?before_seq=8&limit=7", obj{"before_seq": 8, "limit": 7}, downTo(7, 1), false},
		{"?before_seq=9&limit=7", obj{"before_seq": 9, "limit": 7}, downTo(8, 2), true},
		{"?before_seq=1", obj{"before_seq": 1}, downTo(0, 1), false},
	} {
		var s msgSpan
		get(tt.query, tt.data, &s)
		if !slices.Equal(seqs(s.Data), tt.seqs) || s.HasMore != tt.more {
			t.Errorf("cursor %q: got %v, has_more %v; want %v, %v", tt.query, seqs(s.Data), s.HasMore, tt.seqs, tt.more)
		}
	}
	// The query wins over the body; the body alone is the original's way.
	var p msgPage
	a.must(t, "GET", convPath(conv, "message?page=2"), `{"page":3,"size":5}`).into(t, &p)
	if p.CurrentPage != 2 || p.PerPage != 5 {
		t.Errorf("query and body: got page %d, %d each; want 2, 5", p.CurrentPage, p.PerPage)
	}
	a.s.call(t, "GET", convPath(conv, "message"), a.server().with(headers{"Content-Type": "text/plain"}), nil).want(t, "GET with a Content-Type and no body", 0)
	empty := a.group(t, one)
	a.must(t, "GET", convPath(empty, "message"), nil).into(t, &p)
	if len(p.Data) != 0 || p.Total != 0 || p.CurrentPage != 1 || p.LastPage > 1 {
		t.Errorf("an empty history: got %+v", p)
	}
	if got := string(a.must(t, "GET", convPath(empty, "message?after_seq=0"), nil).Data); got != `{"data":[],"has_more":false}` {
		t.Errorf("an empty history by cursor: got %s", got)
	}
}

// The fields of a message that was sent with everything, in list, get and push.
func TestMessageFields(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.group(t, one, two)
	first := a.send(t, conv, two, "first").text("msg_id")
	c := a.login(t, two, "d")
	key := unique("key")
	sent := a.must(t, "POST", convPath(conv, "message"), obj{
		"from_client": one, "type": -2, "text": "look", "url": "http://x/y.png", "attr": obj{"w": 16}, "mention_all": 1, "no_sync": "1",
		"mention_client_ids": []string{two}, "client_msg_id": key, "reply_to": first,
	})
	push := c.expect(t, "msg.new")
	want := obj{
		"msg_id": sent.text("msg_id"), "conv_id": conv, "type": -2, "text": "look", "url": "http://x/y.png", "attr": obj{"w": 16},
		"mention_all": 1, "mention_client_ids": []string{two}, "transient": 0, "client_msg_id": key, "reply_to": first, "seq": 2, "ctime": sent.number("time"),
	}
	hold := func(what string, raw []byte, more obj) {
		t.Helper()
		got, _ := decode(t, raw).(map[string]any)
		for k, v := range want {
			if k == "ctime" && got[k] != nil {
				continue // when it was accepted; the answer's time may be a moment later
			}
			if jsonOf(got[k]) != jsonOf(v) {
				t.Errorf("%s: %s is %s, want %s", what, k, jsonOf(got[k]), jsonOf(v))
			}
		}
		for k, v := range more {
			if g, there := got[k]; !there || jsonOf(g) != jsonOf(v) {
				t.Errorf("%s: %s is %s, want %s", what, k, jsonOf(got[k]), jsonOf(v))
			}
		}
	}
	hold("push", push.Data, obj{"from_client": one, "conv_type": 3})
	hold("msg.get", a.must(t, "GET", convPath(conv, "message", sent.text("msg_id")), nil).Data, obj{"client_id": one, "no_sync": 1, "msg_status": 1, "mtime": nil})
	var p struct {
		Data []map[string]any `json:"data"`
	}
	a.must(t, "GET", convPath(conv, "message?size=1"), nil).into(t, &p)
	hold("msg.list", []byte(jsonOf(p.Data[0])), obj{"client_id": one, "no_sync": 1, "msg_status": 1, "mtime": nil})
	// A plain text: what is absent is null.
	plain := a.send(t, conv, one, "plain")
	got, _ := decode(t, a.must(t, "GET", convPath(conv, "message", plain.text("msg_id")), nil).Data).(map[string]any)
	for _, k := range []string{"attr", "url", "mention_client_ids", "client_msg_id", "reply_to", "mtime"} {
		if v, there := got[k]; !there || v != nil {
			t.Errorf("a plain text: %s is %v (there: %v), want null", k, v, there)
		}
	}
}

// A transient message reaches who is online, has no seq and no place in the history.
func TestTransient(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.group(t, one, two)
	c := a.login(t, two, "d")
	got := a.must(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": "wave", "transient": 1})
	if v := got.field("seq"); v != nil && v != float64(0) {
		t.Errorf("seq of a transient message: got %s, want none", got)
	}
	f := c.expect(t, "msg.new")
	if m := f.message(t); m.text() != "wave" || m.Seq != 0 {
		t.Errorf("push: got %s", f)
	}
	if h := a.history(t, conv); len(h) != 0 {
		t.Errorf("history: got %+v, want nothing", h)
	}
	if got := a.send(t, conv, one, "kept").number("seq"); got != 1 {
		t.Errorf("seq after a transient message: got %d, want 1", got)
	}
}

// The order and the pages of conversations: newest activity first.
func TestConversationPages(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	var convs []string
	for range 25 {
		convs = append([]string{a.group(t, one)}, convs...) // newest first
	}
	list := func(query string) (ids []string, got *answer) {
		t.Helper()
		got = a.must(t, "GET", where(fmt.Sprintf(`[["client_id","=",%q]]`, one))+query, nil)
		var p struct {
			Data []struct {
				ConvID string `json:"conv_id"`
			} `json:"data"`
		}
		got.into(t, &p)
		for _, c := range p.Data {
			ids = append(ids, c.ConvID)
		}
		return ids, got
	}
	ids, got := list("")
	if !slices.Equal(ids, convs[:20]) || got.number("per_page") != 20 || got.number("last_page") != 2 || got.number("total") != 25 || got.number("current_page") != 1 {
		t.Errorf("page 1: got %s, want %v", got, convs[:20])
	}
	if ids, got = list("&page=2"); !slices.Equal(ids, convs[20:]) {
		t.Errorf("page 2: got %s, want %v", got, convs[20:])
	}
	if ids, got = list("&page=3"); len(ids) != 0 || got.number("total") != 25 || got.number("current_page") != 3 {
		t.Errorf("page 3: got %s, want it empty", got)
	}
	// A message moves its conversation to the front.
	last := convs[24]
	a.send(t, last, one, "up")
	if ids, got = list("&size=2"); !slices.Equal(ids, []string{last, convs[0]}) {
		t.Errorf("after a message: got %s, want %s first, then %s", got, last, convs[0])
	}
	for _, k := range []string{"ctime_ms"} {
		if got := a.must(t, "GET", convPath(last), nil); got.number(k) < 1_600_000_000_000 {
			t.Errorf("%s: got %s, want Unix milliseconds", k, got)
		}
	}
	// `POST ?where=` with an empty body is the query, as the original's curl has it.
	if got := a.call(t, "POST", where(fmt.Sprintf(`[["conv_id","=",%q]]`, last)), nil); got.Code != 0 || got.number("total") != 1 {
		t.Errorf("POST ?where=: got %s, want the conversation", got)
	}
}

// A temporary conversation is gone ttl seconds after its last message.
func TestTemporaryConversationEnds(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.must(t, "POST", "/im/conversations", obj{"client_id": one, "to_client_ids": []string{two}, "conv_type": 2, "ttl": 2}).text("conv_id")
	kept := a.conv(t, 2, one, two)
	a.must(t, "GET", convPath(conv), nil)
	eventually(t, "the end of a temporary conversation", func() bool { return a.call(t, "GET", convPath(conv), nil).Code == 4011 })
	a.call(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": "x"}).want(t, "send after the end", 4011)
	if got := a.must(t, "GET", where(fmt.Sprintf(`[["client_id","=",%q]]`, one)), nil); got.number("total") != 1 {
		t.Errorf("conversations after the end: got %s, want %s alone", got, kept)
	}
}

// msg.find: what each question finds is what a look at the whole history finds, by REST
// and by socket, within what the caller may see.
func TestMessagesAreFoundBySenderTypeAndTime(t *testing.T) {
	t.Parallel()
	a := strict(t)
	ids := a.users(t, 3)
	owner, other, outsider := ids[0], ids[1], ids[2]
	conv := a.group(t, owner, other)
	for i := range 24 {
		from, kind := owner, 7+i%3
		if i%4 == 0 {
			from = other
		}
		a.must(t, "POST", convPath(conv, "message"), obj{"from_client": from, "type": kind, "text": fmt.Sprint("m", i)})
	}
	all := a.history(t, conv)
	slices.Reverse(all)
	recalled, hidden := all[3], all[5]
	a.must(t, "POST", convPath(conv, "message", recalled.MsgID, "recall"), obj{})
	a.s.call(t, "DELETE", convPath(conv, "message", hidden.MsgID), a.as(t, owner), nil).want(t, "deleted for oneself", 0)
	a.s.call(t, "PUT", userPath(owner, "conversations", conv), a.as(t, owner), obj{"clear_to_seq": 4}).want(t, "cleared", 0)

	c := a.login(t, owner, "d")
	find := func(q obj) (seqs []int64) {
		t.Helper()
		for range 100 {
			query := url.Values{}
			ask := obj{"conv_id": conv}
			for name, v := range q {
				ask[name] = v
				if list, ok := v.([]int); ok {
					for _, n := range list {
						query.Add(name, fmt.Sprint(n))
					}
					continue
				}
				query.Set(name, fmt.Sprint(v))
			}
			got := a.s.call(t, "GET", convPath(conv, "search?"+query.Encode()), a.as(t, owner), nil).want(t, fmt.Sprint(q), 0)
			if socket := c.ask(t, "msg.find", ask).want(t, fmt.Sprint(q), 0); string(socket.Data) != string(got.Data) {
				t.Fatalf("%v by socket: got %s, by REST %s", q, socket.Data, got.Data)
			}
			var page struct {
				Data    []message `json:"data"`
				NextSeq *int64    `json:"next_seq"`
			}
			got.into(t, &page)
			for _, m := range page.Data {
				seqs = append(seqs, m.Seq)
				if m.Seq == recalled.Seq && m.Text != nil || m.Seq == hidden.Seq && m.Text != nil {
					t.Errorf("%v shows %s", q, *m.Text)
				}
			}
			if page.NextSeq == nil {
				return seqs
			}
			q["before_seq"] = *page.NextSeq
		}
		t.Fatalf("%v has no end", q)
		return nil
	}
	middle := all[12].Ctime
	for name, tt := range map[string]struct {
		q     obj
		meets func(m message) bool
	}{
		"all":           {obj{"limit": 5}, func(message) bool { return true }},
		"by sender":     {obj{"from_client": other, "limit": 2}, func(m message) bool { return m.ClientID == other }},
		"by types":      {obj{"types": []int{7, 9}}, func(m message) bool { return m.Type != 8 }},
		"by one type":   {obj{"types": []int{8}, "limit": 1}, func(m message) bool { return m.Type == 8 }},
		"since":         {obj{"since": middle, "limit": 3}, func(m message) bool { return m.Ctime >= middle }},
		"until":         {obj{"until": middle, "limit": 3}, func(m message) bool { return m.Ctime < middle }},
		"all of them":   {obj{"from_client": owner, "types": []int{7}, "since": middle}, func(m message) bool { return m.ClientID == owner && m.Type == 7 && m.Ctime >= middle }},
		"before a seq":  {obj{"before_seq": 9, "from_client": owner}, func(m message) bool { return m.Seq < 9 && m.ClientID == owner }},
		"of the future": {obj{"since": int64(1) << 53}, func(message) bool { return false }},
		"of nobody":     {obj{"from_client": "nobody"}, func(message) bool { return false }},
	} {
		want := []int64{}
		for _, m := range all {
			if m.Seq > 4 && tt.meets(m) { // it cleared what is before
				want = append(want, m.Seq)
			}
		}
		if got := find(tt.q); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	for name, q := range map[string]string{
		"both ends": "after_seq=1&before_seq=5", "no limit": "limit=0", "too many": "limit=201", "a type that is none": "types=text", "no types": "types=[]",
		"21 types": "types=[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]", "a negative time": "since=-1", "no time": "until=now", "a text": "types=%5B%22a%22%5D",
	} {
		a.s.call(t, "GET", convPath(conv, "search?"+q), a.as(t, owner), nil).want(t, name, 4406)
	}
	a.s.call(t, "GET", convPath(conv, "search"), a.as(t, outsider), nil).want(t, "an outsider", 4004)
}

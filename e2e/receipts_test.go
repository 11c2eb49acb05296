package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// position is how far a member has come.
type position struct {
	ClientID    string `json:"client_id"`
	ReadSeq     int64  `json:"read_seq"`
	ReceivedSeq int64  `json:"received_seq"`
	HasRead     bool   `json:"has_read"`
	HasReceived bool   `json:"has_received"`
}

// reads is the next conv.read.
func (c *socket) reads(t *testing.T, conv string) []position {
	t.Helper()
	var e struct {
		ConvID string     `json:"conv_id"`
		Time   int64      `json:"time"`
		Reads  []position `json:"reads"`
	}
	f := c.expect(t, "conv.read")
	f.into(t, &e)
	if e.ConvID != conv || e.Time == 0 || len(e.Reads) == 0 {
		t.Errorf("got %s, want conv.read of %s", f, conv)
	}
	return e.Reads
}

func (c *socket) wantReads(t *testing.T, what, conv string, want ...position) {
	t.Helper()
	if got := c.reads(t, conv); !slices.Equal(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func TestWhoAnswersHasReadAndTheOtherIsTold(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.conv(t, 1, tom, jerry)
	one, two := a.login(t, tom, "one"), a.login(t, jerry, "two")
	text := obj{"conv_id": conv, "type": -1, "text": "hi"}
	for range 3 {
		one.ask(t, "msg.send", text).want(t, "Tom says", 0)
	}
	two.ask(t, "msg.send", text).want(t, "Jerry answers", 0)
	want := position{ClientID: jerry, ReadSeq: 4, ReceivedSeq: 4}
	one.wantReads(t, "Jerry answered", conv, want)
	two.ask(t, "conv.read", obj{"conv_id": conv}).want(t, "Jerry reads", 0)
	one.wantReads(t, "Jerry said that it has read", conv, want)
	pad := a.login(t, tom, "pad")
	one.ask(t, "msg.send", text).want(t, "Tom goes on", 0)
	for what, c := range map[string]*socket{"another device": pad, "the other": two} {
		c.wantReads(t, "Tom had not read the answer: "+what, conv, position{ClientID: tom, ReadSeq: 5, ReceivedSeq: 5})
	}
	one.nothing(t, "conv.read") // it said so itself
	a.must(t, "POST", convPath(conv, "message"), obj{"from_client": jerry, "type": -1, "text": "says the backend"})
	one.nothing(t, "conv.read")
}

func TestPositionsAreToldLiveAndMoveForwardOnly(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	for _, typ := range []int{1, 3} {
		conv := a.conv(t, typ, tom, jerry)
		for range 5 {
			a.send(t, conv, tom, "hi")
		}
		d := fmt.Sprint("d", typ)
		phone, pad, other := a.login(t, jerry, "phone"+d), a.login(t, jerry, "pad"+d), a.login(t, tom, "web"+d)
		for _, step := range []struct {
			op        string
			seq       any
			want      string
			told      bool
			read, got int64
		}{
			{"conv.received", 4, "0 4 5", true, 0, 4},
			{"conv.read", 2, "2 4 3", true, 2, 4},
			{"conv.read", 1, "2 4 3", false, 0, 0},
			{"conv.received", 3, "2 4 3", false, 0, 0},
			{"conv.read", 0, "2 4 3", false, 0, 0},
			{"conv.read", nil, "5 5 0", true, 5, 5},
			{"conv.read", int64(1) << 60, "5 5 0", false, 0, 0},
		} {
			what := fmt.Sprint("type ", typ, ": ", step.op, " ", step.seq)
			got := phone.ask(t, step.op, obj{"conv_id": conv, "seq": step.seq}).want(t, what, 0)
			if s := fmt.Sprint(got.number("read_seq"), " ", got.number("received_seq"), " ", got.number("unread")); s != step.want {
				t.Errorf("%s: got %s, want %s", what, s, step.want)
			}
			for device, c := range map[string]*socket{"own device": pad, "the other": other} {
				if step.told {
					c.wantReads(t, what+": "+device, conv, position{ClientID: jerry, ReadSeq: step.read, ReceivedSeq: step.got})
				}
				c.nothing(t, "conv.read")
			}
			phone.nothing(t, "conv.read") // it said so itself
		}
	}
}

func TestARoomTellsNobodyElseWhatOneHasRead(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	room := a.conv(t, 4, tom, jerry)
	a.send(t, room, tom, "hi")
	pad, other := a.login(t, jerry, "pad"), a.login(t, tom, "web")
	a.read(t, jerry, room, nil)
	pad.wantReads(t, "own device", room, position{ClientID: jerry, ReadSeq: 1, ReceivedSeq: 1})
	other.nothing(t, "conv.read")
	a.read(t, tom, room, nil)
	other.nothing(t, "conv.read")
}

// In a group of more than 200 a frame stands for what was read within a second.
func TestPositionsOfALargeGroupAreGathered(t *testing.T) {
	t.Parallel()
	a := strict(t)
	people := a.users(t, 210)
	conv := a.group(t, people[0], people[1:]...)
	for range 3 {
		a.send(t, conv, people[0], "hi")
	}
	seen, own := a.login(t, people[0], "d"), a.login(t, people[1], "d")
	begun := time.Now()
	const readers = 60
	for i := 1; i <= readers; i++ {
		a.read(t, people[i], conv, 1)
	}
	for i := 1; i <= readers; i++ {
		a.read(t, people[i], conv, 3)
	}
	own.wantReads(t, "own device, at once", conv, position{ClientID: people[1], ReadSeq: 1, ReceivedSeq: 1})
	at, frames := map[string]int64{}, 0
	done := func() bool {
		for i := 1; i <= readers; i++ {
			if at[people[i]] != 3 {
				return false
			}
		}
		return true
	}
	for !done() {
		got := seen.reads(t, conv)
		frames++
		once := map[string]bool{}
		for _, p := range got {
			if once[p.ClientID] || p.ReadSeq < at[p.ClientID] || p.ReadSeq != p.ReceivedSeq {
				t.Errorf("frame %d: %+v after %d", frames, p, at[p.ClientID])
			}
			once[p.ClientID], at[p.ClientID] = true, p.ReadSeq
		}
	}
	if most := int(time.Since(begun).Seconds()) + 2; frames > most {
		t.Errorf("%d positions came in %d frames, want at most %d", 2*readers, frames, most)
	}
	seen.nothing(t, "conv.read")
}

func TestReadersOfAMessage(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry, alex, late := a.user(t, "tom"), a.user(t, "jerry"), a.user(t, "alex"), a.user(t, "late")
	conv := a.group(t, tom, jerry, alex)
	a.send(t, conv, tom, "one")
	a.send(t, conv, jerry, "two")
	a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{late}})
	a.send(t, conv, tom, "three")
	a.must(t, "POST", convPath(conv, "received"), obj{"client_id": alex, "seq": 2})
	readers := func(query string) string {
		t.Helper()
		var r struct {
			Seq                     int64
			Members, Received, Read int
			Data                    []position
			Total                   int
			NextCursor              *string `json:"next_cursor"`
		}
		a.s.call(t, "GET", convPath(conv, "readers"+query), a.as(t, alex), nil).want(t, query, 0).into(t, &r)
		var list []string
		for _, p := range r.Data {
			list = append(list, fmt.Sprintf("%.3s %d/%d %v/%v", p.ClientID, p.ReadSeq, p.ReceivedSeq, p.HasRead, p.HasReceived))
		}
		if r.Total != r.Members {
			t.Errorf("%s: total %d of %d members", query, r.Total, r.Members)
		}
		return fmt.Sprintf("%d: %d %d %d: %s%s", r.Seq, r.Members, r.Received, r.Read, strings.Join(list, ", "), map[bool]string{true: " more"}[r.NextCursor != nil])
	}
	for query, want := range map[string]string{
		"":                     "3: 4 1 1: tom 3/3 true/true, jer 2/2 false/false, ale 0/2 false/false, lat 2/2 false/false",
		"?seq=2":               "2: 3 3 2: tom 3/3 true/true, jer 2/2 true/true, ale 0/2 false/true",
		"?seq=1":               "1: 3 3 2: tom 3/3 true/true, jer 2/2 true/true, ale 0/2 false/true",
		"?seq=2&size=2":        "2: 3 3 2: tom 3/3 true/true, jer 2/2 true/true more",
		"?seq=2&size=2&page=2": "2: 3 3 2: ale 0/2 false/true",
		"?seq=2&size=2&page=3": "2: 3 3 2: ",
	} {
		if got := readers(query); got != want {
			t.Errorf("readers%s:\ngot  %s\nwant %s", query, got, want)
		}
	}
	a.call(t, "GET", convPath(conv, "readers?seq=4"), nil).want(t, "readers of what is not said yet", 4012)
}

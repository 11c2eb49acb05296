package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

// changed is a change to the message with this seq, as the commit hook tells it.
func changed(seq, number int64, kind skein.ChangeKind, by string, hidden ...string) skein.Committed {
	m := skein.Message{
		Conv: conv, Seq: seq, Sender: "Tom", Status: skein.StatusNormal, Changed: number,
		Body: skein.Body{Type: skein.TypeText, Text: fmt.Sprint("text ", number)},
	}
	return skein.Committed{App: "shop", ConvType: skein.Group, Message: m, Hidden: hidden, Change: &skein.Change{Seq: number, Kind: kind, By: by, Message: m}}
}

// update is a msg.updated in short.
func update(t *testing.T, frame string) string {
	t.Helper()
	var f struct {
		Type string
		Data struct {
			ChangeSeq int64 `json:"change_seq"`
			Kind      string
			Message   struct{ Text *string }
		}
	}
	if err := json.Unmarshal([]byte(frame), &f); err != nil || f.Type != skein.EventMessageUpdated {
		t.Fatalf("frame %s: %v", frame, err)
	}
	text := "blank"
	if f.Data.Message.Text != nil {
		text = *f.Data.Message.Text
	}
	return fmt.Sprint(f.Data.ChangeSeq, " ", f.Data.Kind, " ", text)
}

func (f *fixture) wantUpdates(what string, s *screen, want ...string) {
	f.Helper()
	got := []string{}
	for _, frame := range s.until("end") {
		got = append(got, update(f.T, frame))
	}
	if fmt.Sprint(got) != fmt.Sprint(append([]string{}, want...)) {
		f.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

func TestAChangeGoesToWhoMaySeeIt(t *testing.T) {
	for name, tt := range map[string]struct {
		sent       skein.Committed
		tom, jerry []string
	}{
		"to all, who did it too":     {changed(1, 7, skein.ChangeEdit, "Tom"), []string{"7 edit text 7"}, []string{"7 edit text 7"}},
		"the backend's":              {changed(1, 7, skein.ChangePin, ""), []string{"7 pin text 7"}, []string{"7 pin text 7"}},
		"a deletion for oneself":     {changed(1, 7, skein.ChangeHide, "Tom"), []string{"7 delete blank"}, nil},
		"blank to who deleted it":    {changed(1, 7, skein.ChangeEdit, "Tom", "Jerry", "Nobody"), []string{"7 edit text 7"}, []string{"7 edit blank"}},
		"blank to who did it itself": {changed(1, 7, skein.ChangeEdit, "Tom", "Tom"), []string{"7 edit blank"}, []string{"7 edit text 7"}},
	} {
		f := newFixture(t, "Tom", "Jerry")
		phone, pad := f.login("Tom", "phone"), f.login("Tom", "pad")
		jerry, nobody := f.login("Jerry", "phone"), f.login("Nobody", "phone")
		f.Committed([]skein.Committed{tt.sent})
		f.end("Tom", "Jerry", "Nobody")
		f.wantUpdates(name+", on the phone", phone, tt.tom...)
		f.wantUpdates(name+", on the pad", pad, tt.tom...)
		f.wantUpdates(name+", the other", jerry, tt.jerry...)
		f.wantUpdates(name+", no member", nobody)
	}
}

func TestWhoJoinedLaterIsToldOfEarlierMessagesWhereHistoryIsOpen(t *testing.T) {
	for name, tt := range map[string]struct {
		private func(context.Context, string) bool
		jerry   []string // who joined after the message
	}{
		"open":              {func(context.Context, string) bool { return false }, []string{"1 edit text 1"}},
		"private":           {func(context.Context, string) bool { return true }, nil},
		"where nobody says": {nil, []string{"1 edit text 1"}},
	} {
		f := newFixture(t, "Tom", "Jerry")
		f.opts.Private = tt.private
		f.store.joined = map[string]int64{"Tom": 5, "Jerry": 6}
		tom, jerry := f.login("Tom", "phone"), f.login("Jerry", "phone")
		f.Committed([]skein.Committed{changed(5, 1, skein.ChangeEdit, "Tom")})
		f.end("Tom", "Jerry")
		f.wantUpdates(name, tom, "1 edit text 1")
		f.wantUpdates(name+", who joined later", jerry, tt.jerry...)
	}
}

func TestChangesAndMessagesComeInTheOrderOfTheirCommits(t *testing.T) {
	f := newFixture(t, "Tom")
	tom := f.login("Tom", "phone")
	const n = 200
	var want []string
	for i := range int64(n) {
		f.publish(event(i + 1))
		f.Committed([]skein.Committed{changed(i+1, 2*i+1, skein.ChangeEdit, "Tom"), changed(1, 2*i+2, skein.ChangeReact, "Tom")})
		want = append(want, fmt.Sprint(i+1), fmt.Sprint(2*i+1, " edit text ", 2*i+1), fmt.Sprint(2*i+2, " react text ", 2*i+2))
	}
	f.end("Tom")
	got := tom.until("end")
	for i, frame := range got {
		if i%3 != 0 {
			got[i] = update(t, frame)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %.300q\nwant %.300q", got, want)
	}
}

// A blank copy waits as the other does, so it counts as much.
func TestABlankCopyCountsAgainstTheBoundOfALane(t *testing.T) {
	f := newFixture(t, "Tom")
	f.stall()
	defer close(f.store.gate)
	half := make([]byte, queueBytes/2-taskBytes)
	for range 3 {
		f.publish(bus.Event{App: "shop", Conv: conv, Blind: []string{"Tom"}, Blank: half})
	}
	if got := f.count("skein_delivery_dropped_total"); got != 1 {
		t.Errorf("%d of three halves of the bound dropped, want 1", got)
	}
}

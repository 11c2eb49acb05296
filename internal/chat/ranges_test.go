package chat

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// ranges is the answer to one range, in short.
func (f *fixture) ranges(by skein.Actor, r Range) string {
	f.Helper()
	got, err := f.Ranges(f.Context(), by, []Range{r})
	f.must(err)
	if got[0].Err != nil {
		return got[0].Err.Error()
	}
	var kinds []string
	for _, c := range got[0].Changes.Changes {
		kinds = append(kinds, fmt.Sprint(c.Seq, c.Kind))
	}
	return fmt.Sprintf("%v %v of %d above %d, %v %v of %d", seqs(got[0].Messages), got[0].More, got[0].LastSeq, got[0].Floor,
		kinds, got[0].Changes.More, got[0].Changes.Last)
}

func TestRangesAreWhatIsNew(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	f.say(conv, 5)
	all, _, err := f.Span(t.Context(), f.backend(), conv, skein.SeqRange{Limit: 5})
	f.must(err)
	for _, i := range []int{0, 4, 2} {
		f.must(f.Recall(t.Context(), f.backend(), conv, all[i].ID))
	}
	for name, tt := range map[string]struct {
		r    Range
		want string
	}{
		"all":             {Range{conv, new(int64(0)), new(int64(0)), 50}, "[1 2 3 4 5] false of 5 above 0, [1 recall 2 recall 3 recall] false of 3"},
		"neither":         {Range{conv, nil, nil, 50}, "[] false of 5 above 0, [] false of 3"},
		"messages alone":  {Range{conv, new(int64(3)), nil, 50}, "[4 5] false of 5 above 0, [] false of 3"},
		"changes alone":   {Range{conv, nil, new(int64(2)), 50}, "[] false of 5 above 0, [3 recall] false of 3"},
		"two of each":     {Range{conv, new(int64(0)), new(int64(0)), 2}, "[1 2] true of 5 above 0, [1 recall 2 recall] true of 3"},
		"just to the end": {Range{conv, new(int64(3)), new(int64(1)), 2}, "[4 5] false of 5 above 0, [2 recall 3 recall] false of 3"},
		"past the end":    {Range{conv, new(int64(9)), new(int64(9)), 50}, "[] false of 5 above 0, [] false of 3"},
		"of nothing":      {Range{skein.ID{1}, new(int64(0)), new(int64(0)), 50}, "unknown conversation"},
	} {
		wantEqual(f, name, f.ranges(f.member("Jerry"), tt.r), tt.want)
	}
	wantEqual(f, "by no member", f.ranges(f.member("Alex"), Range{conv, new(int64(0)), new(int64(0)), 50}), "forbidden")

	got, err := f.Ranges(t.Context(), f.member("Jerry"), []Range{{Conv: skein.ID{1}}, {conv, new(int64(4)), nil, 1}, {conv, new(int64(0)), nil, 1}})
	f.must(err)
	wantEqual(f, "in the order asked", fmt.Sprint(got[0].Err, seqs(got[1].Messages), seqs(got[2].Messages)), "unknown conversation [5] [1]")
	_, err = f.Ranges(t.Context(), f.member("Nobody"), []Range{{Conv: conv}})
	f.wantFault("by who is not there", err, skein.ErrUnknownClient, "Nobody")
}

// Whatever is at or below the floor is answered nowhere, and what became of it is
// only a number.
func TestNothingIsAnsweredBelowTheFloor(t *testing.T) {
	for name, tt := range map[string]struct {
		settings skein.Settings
		raise    func(f *fixture, conv skein.ID)
	}{
		"joined later, private history": {skein.Settings{PrivateHistory: true}, func(f *fixture, conv skein.ID) {
			f.must(f.AddMembers(t.Context(), f.backend(), conv, []string{"Jerry"}))
		}},
		"cleared": {skein.Settings{}, func(f *fixture, conv skein.ID) {
			f.must(f.AddMembers(t.Context(), f.backend(), conv, []string{"Jerry"}))
			_, _, err := f.store.UpdateMember(t.Context(), "shop", conv, store.Authority{}, "Jerry", f.now(), func(_ skein.Conversation, m *skein.Member) error {
				m.ClearedSeq = 3
				return nil
			})
			f.must(err)
		}},
	} {
		f := newFixture(t, tt.settings)
		conv, jerry := f.create(skein.Group, "Tom"), f.member("Jerry")
		f.say(conv, 3)
		tt.raise(f, conv)
		f.say(conv, 2)
		all, _, err := f.Span(t.Context(), f.backend(), conv, skein.SeqRange{Limit: 5})
		f.must(err)
		for _, m := range []skein.Message{all[2], all[3]} { // one on each side
			_, err := f.edit(f.backend(), m, "edited")
			f.must(err)
			f.must(f.Pin(t.Context(), f.backend(), conv, m.ID, true))
		}
		wantEqual(f, name, f.ranges(jerry, Range{conv, new(int64(0)), new(int64(0)), 50}),
			"[4 5] false of 5 above 3, [1 none 2 none 3 edit 4 pin] false of 4")
		f.wantLog(name, jerry, conv, `none by "" of 0 ""`, `none by "" of 0 ""`, `edit by "" of 4 "edited"`, `pin by "" of 4 "edited"`)
		pins, err := f.Pins(t.Context(), jerry, conv)
		f.must(err)
		wantEqual(f, name+": pins", seqs(pins), []int64{4})
		page, total, err := f.Page(t.Context(), jerry, conv, 1, 10)
		f.must(err)
		wantEqual(f, name+": a page", fmt.Sprint(seqs(page), total), "[5 4] 2")
		_, err = f.Message(t.Context(), jerry, conv, all[2].ID)
		f.wantFault(name+": one message", err, skein.ErrUnknownMessage, "msg_id")
		_, err = f.React(t.Context(), jerry, conv, all[2].ID, "ok", true)
		f.wantFault(name+": a reaction", err, skein.ErrUnknownMessage, "msg_id")
		f.wantFault(name+": a deletion", f.Hide(t.Context(), jerry, conv, all[2].ID), skein.ErrUnknownMessage, "msg_id")
		_, err = f.React(t.Context(), jerry, conv, all[3].ID, "ok", true)
		f.wantCase(name+": a reaction above it", err, nil, "")
	}
}

func TestManyRangesAreBoundedAllInAll(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv, big := f.create(skein.Group, "Tom"), f.create(skein.Group, "Tom")
	f.say(conv, 200)
	first, _, err := f.Span(t.Context(), f.backend(), conv, skein.SeqRange{Limit: 1})
	f.must(err)
	f.must(f.Recall(t.Context(), f.backend(), conv, first[0].ID))
	got, err := f.Ranges(t.Context(), f.member("Tom"), slices.Repeat([]Range{{conv, new(int64(0)), new(int64(0)), 200}}, 12))
	f.must(err)
	var sizes []string
	for _, r := range got {
		sizes = append(sizes, fmt.Sprint(len(r.Messages), r.More, len(r.Changes.Changes), r.Changes.More))
	}
	full := slices.Repeat([]string{"200 false 1 false"}, 9)
	wantEqual(f, "2,000 of small ones", sizes, append(full, "191 true 0 true", "0 true 0 true", "0 true 0 true"))

	in := textOf(big, "Tom", strings.Repeat("x", skein.MaxText))
	for range 100 {
		_, err := f.Send(t.Context(), f.backend(), in)
		f.must(err)
	}
	got, err = f.Ranges(t.Context(), f.member("Tom"), []Range{{big, new(int64(0)), nil, 200}, {conv, new(int64(0)), new(int64(0)), 200}})
	f.must(err)
	volume := 0
	for _, m := range got[0].Messages {
		volume += len(m.Text)
	}
	if volume > maxVolume || volume < maxVolume*9/10 || !got[0].More || got[0].Messages[0].Seq != 1 {
		t.Errorf("large ones: %d bytes from seq %d on, more %v; want about 1 MiB, from 1 on, and more", volume, got[0].Messages[0].Seq, got[0].More)
	}
	wantEqual(f, "behind them", fmt.Sprint(len(got[1].Messages), got[1].More, len(got[1].Changes.Changes), got[1].Changes.More), "0 true 0 true")
}

// Who follows what there is more of has everything once, however large it is.
func TestOneAnswerIsAboutAMebibyteAtTheMost(t *testing.T) {
	const n = 100
	f := newFixture(t, skein.Settings{})
	conv, tom := f.create(skein.Group, "Tom"), f.member("Tom")
	in := textOf(conv, "Tom", strings.Repeat("x", skein.MaxText))
	var last skein.Message
	for range n {
		m, err := f.Send(t.Context(), f.backend(), in)
		f.must(err)
		last = m
	}
	for i := range n {
		_, err := f.React(t.Context(), tom, conv, last.ID, "ok", i%2 == 0)
		f.must(err)
	}
	for name, ask := range map[string]func(after int64) (got []int64, more bool){
		"messages up": func(after int64) ([]int64, bool) {
			messages, more, err := f.Span(t.Context(), tom, conv, skein.SeqRange{After: after, Limit: 200})
			f.must(err)
			return seqs(messages), more
		},
		"messages down": func(after int64) (down []int64, more bool) {
			messages, more, err := f.Span(t.Context(), tom, conv, skein.SeqRange{Before: n + 1 - after, Limit: 200, Newest: true})
			f.must(err)
			for _, m := range messages {
				down = append(down, n+1-m.Seq)
			}
			return down, more
		},
		"changes of one message": func(after int64) (numbers []int64, more bool) {
			page, err := f.Changes(t.Context(), tom, conv, after, 200)
			f.must(err)
			for _, c := range page.Changes {
				numbers = append(numbers, c.Seq)
			}
			return numbers, page.More
		},
	} {
		first, more := ask(0)
		rest, end := ask(int64(len(first)))
		if size := len(first) * skein.MaxText; size > maxVolume || size < maxVolume*9/10 || !more || end {
			t.Errorf("%s: %d bytes, more %v, and behind them more %v; want about 1 MiB, more, and no more", name, size, more, end)
		}
		for i, got := range append(first, rest...) {
			if got != int64(i)+1 || len(first)+len(rest) != n {
				t.Fatalf("%s: got %v and then %v, want 1 to %d", name, first, rest, n)
			}
		}
	}
}

func TestChangesComeInPages(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	m := f.said(f.create(skein.Group, "Tom"), "Tom", "0")
	for i := range 5 {
		_, err := f.edit(f.backend(), m, fmt.Sprint(i+1))
		f.must(err)
	}
	for name, tt := range map[string]struct {
		after int64
		limit int
		want  string
	}{
		"the first":       {0, 2, "[1 2] true of 5"},
		"one short":       {2, 2, "[3 4] true of 5"},
		"to the end":      {3, 2, "[4 5] false of 5"},
		"behind the last": {5, 2, "[] false of 5"},
		"far behind":      {1 << 60, 2, "[] false of 5"},
	} {
		page, err := f.Changes(t.Context(), f.member("Tom"), m.Conv, tt.after, tt.limit)
		f.must(err)
		numbers := []int64{}
		for _, c := range page.Changes {
			numbers = append(numbers, c.Seq)
			wantEqual(f, name+": the text", c.Message.Text, "5") // as it is now
		}
		wantEqual(f, name, fmt.Sprintf("%v %v of %d", numbers, page.More, page.Last), tt.want)
	}
}

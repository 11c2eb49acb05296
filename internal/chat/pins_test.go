package chat

import (
	"testing"

	"github.com/skein-im/skein"
)

func TestPinsAreBoundedAndInPairsForBoth(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	pair := f.create(skein.Private, "Tom", "Jerry")
	first, second := f.said(pair, "Tom", "1"), f.said(pair, "Tom", "2")
	jerry := f.as("Jerry", skein.NeedManager)
	for range 2 {
		f.must(f.Pin(t.Context(), jerry, pair, second.ID, true))
		f.must(f.Pin(t.Context(), jerry, pair, first.ID, true))
	}
	pins, err := f.Pins(t.Context(), f.member("Tom"), pair)
	f.must(err)
	wantEqual(f, "the newest pin first", seqs(pins), []int64{1, 2})
	for range 2 {
		f.must(f.Pin(t.Context(), f.as("Tom", skein.NeedManager), pair, first.ID, false))
	}
	pins, err = f.Pins(t.Context(), f.member("Tom"), pair)
	f.must(err)
	wantEqual(f, "after one was taken away", seqs(pins), []int64{2})
	wantEqual(f, "changes", len(f.log(f.member("Jerry"), pair)), 3)

	group := f.create(skein.Group, "Tom")
	f.say(group, skein.MaxPins+1)
	all, _, err := f.Span(t.Context(), f.backend(), group, skein.SeqRange{Limit: skein.MaxPins + 1})
	f.must(err)
	for _, m := range all[:skein.MaxPins] {
		f.must(f.Pin(t.Context(), f.backend(), group, m.ID, true))
	}
	over := all[skein.MaxPins]
	f.wantErr("one too many", f.Pin(t.Context(), f.backend(), group, over.ID, true), skein.ErrTooLarge)
	f.must(f.Pin(t.Context(), f.backend(), group, all[0].ID, true)) // is pinned already
	f.must(f.Pin(t.Context(), f.backend(), group, all[0].ID, false))
	f.must(f.Pin(t.Context(), f.backend(), group, over.ID, true))
}

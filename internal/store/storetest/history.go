package storetest

import (
	"fmt"

	"github.com/skein-im/skein"
)

var history = []check{
	{"a range of seqs is read from either end", func(f *fixture) {
		f.app("shop", "ann")
		conv, other := f.group("shop", "ann"), f.group("shop", "ann")
		for i := range 5 {
			f.say("shop", conv, "ann", fmt.Sprint(i+1))
			f.say("shop", other, "ann", "other")
		}
		for name, tt := range map[string]struct {
			r    skein.SeqRange
			want []int64
		}{
			"all":                     {skein.SeqRange{Limit: 9}, []int64{1, 2, 3, 4, 5}},
			"all, newest first":       {skein.SeqRange{Limit: 9, Newest: true}, []int64{5, 4, 3, 2, 1}},
			"the first two":           {skein.SeqRange{Limit: 2}, []int64{1, 2}},
			"the last two":            {skein.SeqRange{Limit: 2, Newest: true}, []int64{5, 4}},
			"after":                   {skein.SeqRange{After: 3, Limit: 9}, []int64{4, 5}},
			"before":                  {skein.SeqRange{Before: 3, Limit: 9, Newest: true}, []int64{2, 1}},
			"between":                 {skein.SeqRange{After: 1, Before: 5, Limit: 9}, []int64{2, 3, 4}},
			"between, cut at the old": {skein.SeqRange{After: 1, Before: 5, Limit: 2, Newest: true}, []int64{4, 3}},
			"nothing between":         {skein.SeqRange{After: 2, Before: 3, Limit: 9}, nil},
			"after the end":           {skein.SeqRange{After: 1 << 60, Limit: 9}, nil},
			"none asked for":          {skein.SeqRange{}, nil},
		} {
			page, err := f.Messages(f.Context(), "shop", conv, tt.r)
			f.must(err)
			var seqs []int64
			for _, m := range page {
				seqs = append(seqs, m.Seq)
				equal(f, "text", m.Text, fmt.Sprint(m.Seq))
			}
			equal(f, name, seqs, tt.want)
		}
	}},
	{"an unknown conversation has no messages", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		conv := f.group("shop", "ann")
		f.say("shop", conv, "ann", "hi")
		equal(f, "another app", len(f.history("game", conv)), 0)
		equal(f, "no app", len(f.history("none", conv)), 0)
		equal(f, "another id", len(f.history("shop", f.newID())), 0)
	}},
	{"one message is found in its conversation only", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		conv, other := f.group("shop", "ann"), f.group("shop", "ann")
		want := f.say("shop", conv, "ann", "hi")
		got, err := f.Message(f.Context(), "shop", conv, want.ID, "")
		f.must(err)
		equal(f, "message", got, want)
		for name, err := range map[string]error{
			"another conversation": second(f.Message(f.Context(), "shop", other, want.ID, "")),
			"another app":          second(f.Message(f.Context(), "game", conv, want.ID, "")),
			"another id":           second(f.Message(f.Context(), "shop", conv, f.newID(), "")),
		} {
			if f.wantErr(err, skein.ErrUnknownMessage); f.Failed() {
				f.Fatal(name)
			}
		}
	}},
}

func second[T any](_ T, err error) error { return err }

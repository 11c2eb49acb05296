package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/skein-im/skein"
)

// findAll follows a query to its end and answers what it found.
func (f *fixture) findAll(conv skein.ID, q skein.MessageQuery) (all []skein.Message) {
	f.Helper()
	for calls := 0; ; calls++ {
		found, err := f.FindMessages(f.Context(), "shop", conv, q)
		f.must(err)
		if len(found.Messages) > q.Limit || found.Looked > skein.MaxLooked || calls > 1000 {
			f.Fatalf("call %d of %+v: %d messages, %d looked at", calls, q, len(found.Messages), found.Looked)
		}
		all = append(all, found.Messages...)
		if found.Next == 0 {
			return all
		}
		if q.Newest {
			q.Before = found.Next
		} else {
			q.After = found.Next
		}
	}
}

// meets says by itself whether a message is one that a query asks for.
func meets(m skein.Message, q skein.MessageQuery) bool {
	return m.Seq > q.After && (q.Before == 0 || m.Seq < q.Before) && (q.Sender == "" || m.Sender == q.Sender) &&
		(q.Types == nil || slices.Contains(q.Types, m.Type)) &&
		(q.Since == 0 || m.Created >= q.Since) && (q.Until == 0 || m.Created < q.Until)
}

var findMessages = []check{
	{"what a query finds is what a look at each message finds", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv, other := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		r := rand.New(rand.NewPCG(9, 3)) //nolint:gosec // a test that repeats itself
		const n = 120
		for i := range n {
			d := f.draft("shop", conv, []string{"ann", "bob"}[r.IntN(2)], fmt.Sprint(i))
			d.Type = []int{skein.TypeText, 7, 8}[r.IntN(3)]
			_, _, err := f.Append(f.Context(), d)
			f.must(err)
			f.say("shop", other, "ann", "elsewhere")
			if back := r.IntN(10) == 0; back { // the clock is put back
				f.pass(-time.Duration(r.Int64N(skein.MaxClockBack)) * time.Millisecond / 10)
			} else {
				f.pass(time.Duration(r.IntN(3*3600)) * time.Second)
			}
		}
		history := f.history("shop", conv)
		f.change("shop", history[5], "ann", skein.Change{Kind: skein.ChangeRecall, At: f.now()})
		f.change("shop", history[9], "bob", skein.Change{Kind: skein.ChangeHide, At: f.now()})
		history = f.history("shop", conv)
		some := func() skein.Millis { return history[r.IntN(n)].Created + skein.Millis(r.IntN(3)-1) }
		for range 200 {
			q := skein.MessageQuery{SeqRange: skein.SeqRange{Limit: 1 + r.IntN(12), Newest: r.IntN(2) == 0}}
			if r.IntN(2) == 0 {
				q.Sender = []string{"ann", "bob", "nobody"}[r.IntN(3)]
			}
			if r.IntN(2) == 0 {
				q.Types = [][]int{{skein.TypeText}, {7, 8}, {9}}[r.IntN(3)]
			}
			if r.IntN(2) == 0 {
				q.Since = some()
			}
			if r.IntN(2) == 0 {
				q.Until = some()
			}
			if r.IntN(3) == 0 {
				q.After = r.Int64N(n + 2)
			}
			if r.IntN(3) == 0 {
				q.Before = 1 + r.Int64N(n+2)
			}
			var want []int64
			for _, m := range history {
				if meets(m, q) {
					want = append(want, m.Seq)
				}
			}
			if q.Newest {
				slices.Reverse(want)
			}
			var got []int64
			for _, m := range f.findAll(conv, q) {
				got = append(got, m.Seq)
				equal(f, "message", m, history[m.Seq-1])
			}
			equal(f, fmt.Sprintf("%+v", q), got, want)
		}
		hidden := f.findAll(conv, skein.MessageQuery{SeqRange: skein.SeqRange{After: 9, Before: 11, Limit: 2, Viewer: "bob"}})
		equal(f, "what bob deleted for itself", []any{len(hidden), hidden[0].Status, hidden[0].Text}, []any{1, skein.StatusDeleted, ""})
		found, err := f.FindMessages(f.Context(), "game", conv, skein.MessageQuery{SeqRange: skein.SeqRange{Limit: 9}})
		f.must(err)
		equal(f, "another app", found, skein.FoundMessages{})
	}},
	{"one call looks at a bounded number of messages", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.say("shop", conv, "bob", "first")
		const together = 200
		for range skein.MaxLooked / together {
			var drafts []skein.Draft
			for range together {
				drafts = append(drafts, f.draft("shop", conv, "ann", "between"))
			}
			_, err := f.AppendAll(f.Context(), drafts)
			f.must(err)
		}
		f.say("shop", conv, "bob", "last")
		for _, newest := range []bool{true, false} {
			q := skein.MessageQuery{SeqRange: skein.SeqRange{Limit: 5, Newest: newest}, Sender: "bob"}
			found, err := f.FindMessages(f.Context(), "shop", conv, q)
			f.must(err)
			equal(f, "in the first call", []int{len(found.Messages), found.Looked}, []int{1, skein.MaxLooked})
			equal(f, "in all", len(f.findAll(conv, q)), 2)
		}
	}},
}

package storetest

import (
	"fmt"

	"github.com/skein-im/skein"
)

var batches = []check{
	{"drafts of one call are stored in their order, and those refused are no hindrance", func(f *fixture) {
		f.app("shop", "ann", "bob")
		one, two := f.group("shop", "ann"), f.group("shop", "ann")
		drafts := []skein.Draft{
			f.draft("shop", one, "ann", "1"),
			f.draft("shop", two, "ann", "2"),
			f.draft("shop", one, "bob", "no member"),
			f.draft("shop", f.newID(), "ann", "nowhere"),
			f.draft("shop", one, "ann", "5"),
		}
		answers, err := f.AppendAll(f.Context(), drafts)
		f.must(err)
		equal(f, "answers", len(answers), len(drafts))
		for i, want := range []int64{1, 1, 0, 0, 2} {
			equal(f, fmt.Sprint("seq of draft ", i), answers[i].Message.Seq, want)
		}
		f.wantErr(answers[2].Err, skein.ErrForbidden)
		f.wantErr(answers[3].Err, skein.ErrUnknownConversation)
		told := f.told()
		equal(f, "told", len(told), 3)
		for i, at := range []int{0, 1, 4} {
			equal(f, "told", told[i].Message, answers[at].Message)
			got, err := f.Message(f.Context(), "shop", drafts[at].Conv, drafts[at].ID, "")
			f.must(err)
			equal(f, "stored", got, answers[at].Message)
		}
	}},
	{"a retry in the call of its first is that message again", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		first, again, other := f.draft("shop", conv, "ann", "hi"), f.draft("shop", conv, "ann", "hi"), f.draft("shop", conv, "ann", "ho")
		first.ClientMsgID, again.ClientMsgID, other.ClientMsgID = "a", "a", "a"
		answers, err := f.AppendAll(f.Context(), []skein.Draft{first, again, other})
		f.must(err)
		equal(f, "again", answers[1].Again, true)
		equal(f, "message", answers[1].Message, answers[0].Message)
		f.wantFault(answers[2].Err, skein.ErrConflict, "client_msg_id")
		equal(f, "last", f.lookup("shop", conv).LastSeq, 1)
	}},
	{"a call of more drafts than one commit takes is answered for all", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		drafts := make([]skein.Draft, 2500)
		for i := range drafts {
			drafts[i] = f.draft("shop", conv, "ann", fmt.Sprint(i))
		}
		answers, err := f.AppendAll(f.Context(), drafts)
		f.must(err)
		for i, a := range answers {
			f.must(a.Err)
			equal(f, "seq", a.Message.Seq, int64(i+1))
			equal(f, "text", a.Message.Text, fmt.Sprint(i))
		}
		equal(f, "last", f.lookup("shop", conv).LastSeq, int64(len(drafts)))
	}},
	{"calls of several at once are dense, each in its own order", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv := f.group("shop", "ann", "bob", "cat")
		const calls, size = 12, 20
		f.together(calls, func(i int) error {
			drafts := make([]skein.Draft, size)
			for k := range drafts {
				drafts[k] = f.draft("shop", conv, []string{"ann", "bob", "cat"}[i%3], fmt.Sprintf("%d %d", i, k))
			}
			answers, err := f.AppendAll(f.Context(), drafts)
			for k, a := range answers {
				if a.Err != nil {
					return a.Err
				}
				if a.Message.Text != drafts[k].Text || k > 0 && a.Message.Seq <= answers[k-1].Message.Seq {
					return fmt.Errorf("call %d: answer %d is %q with seq %d", i, k, a.Message.Text, a.Message.Seq)
				}
			}
			return err
		})
		for i, m := range f.history("shop", conv) {
			equal(f, "seq", m.Seq, int64(i+1))
		}
		equal(f, "last", f.lookup("shop", conv).LastSeq, int64(calls*size))
	}},
}

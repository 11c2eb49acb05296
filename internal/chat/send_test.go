package chat

import (
	"testing"

	"github.com/skein-im/skein"
)

func TestARetryAnswersTheFirstMessage(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	in := textOf(conv, "Tom", "hi")
	in.ClientMsgID = "1"
	f.wantTold("the conversation", `conv.created by "" [] also [] audience members`)
	first, err := f.Send(t.Context(), f.as("Tom", skein.NeedMember), in)
	f.must(err)
	in.NoSync = true // the other transport's default
	again, err := f.Send(t.Context(), f.backend(), in)
	f.must(err)
	f.wantTold("the retry, in case that nobody announced the first", "doorbell seq 1")
	wantEqual(f, "the retry", []any{again.ID, again.Seq}, []any{first.ID, int64(1)})
	in.Text = "ho"
	_, err = f.Send(t.Context(), f.backend(), in)
	f.wantErr("the id with other words", err, skein.ErrConflict)
	in.Sender = "Jerry"
	other, err := f.Send(t.Context(), f.backend(), in)
	f.must(err)
	wantEqual(f, "the id of another sender", other.Seq, 2)
}

func TestAnAppMayLeaveMentionsOfEveryoneToManagers(t *testing.T) {
	for _, managersAlone := range []bool{false, true} {
		f := newFixture(t, skein.Settings{ManagersMentionAll: managersAlone})
		conv := f.create(skein.Group, "Tom", "Jerry")
		for _, transient := range []bool{false, true} {
			call := func(by skein.Actor, from string) error {
				in := textOf(conv, from, "hi")
				in.MentionAll, in.Transient = true, transient
				_, err := f.Send(t.Context(), by, in)
				return err
			}
			f.wantErr("the owner", call(f.as("Tom", skein.NeedMember), "Tom"), nil)
			f.wantErr("the backend for a member", call(f.backend(), "Jerry"), nil)
			var want error
			if managersAlone {
				want = skein.ErrForbidden
			}
			f.wantErr("a member", call(f.as("Jerry", skein.NeedMember), "Jerry"), want)
		}
		_, err := f.Send(t.Context(), f.as("Jerry", skein.NeedMember), textOf(conv, "Jerry", "hi"))
		f.wantErr("a member without a mention", err, nil)
	}
}

func TestWhoMaySend(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	f.must(f.Ban(t.Context(), f.backend(), "Iron", skein.Forever, ""))
	for name, tt := range map[string]struct {
		by    func(f *fixture) skein.Actor
		from  string
		to    func(conv skein.ID) skein.ID
		want  error
		field string
	}{
		"a member":            {func(f *fixture) skein.Actor { return f.as("Jerry", skein.NeedMember) }, "Jerry", nil, nil, ""},
		"no member":           {func(f *fixture) skein.Actor { return f.as("Alex", skein.NeedMember) }, "Alex", nil, skein.ErrForbidden, ""},
		"the backend for one": {(*fixture).backend, "Alex", nil, nil, ""},
		"for nobody":          {(*fixture).backend, "Nobody", nil, skein.ErrUnknownClient, "Nobody"},
		"for a banned one":    {(*fixture).backend, "Iron", nil, skein.ErrBanned, "Iron"},
		"into nothing":        {(*fixture).backend, "Tom", func(skein.ID) skein.ID { return skein.ID{1} }, skein.ErrUnknownConversation, ""},
	} {
		conv := f.create(skein.Group, "Tom", "Jerry") // where nothing is unread: positions are told too
		f.told = nil
		if tt.to != nil {
			conv = tt.to(conv)
		}
		for _, transient := range []bool{false, true} {
			in := textOf(conv, tt.from, "hi")
			in.Transient = transient
			m, err := f.Send(t.Context(), tt.by(f), in)
			switch {
			case tt.field != "":
				f.wantFault(name, err, tt.want, tt.field)
			case tt.want != nil:
				f.wantErr(name, err, tt.want)
			case err != nil || transient == (m.Seq != 0):
				t.Errorf("%s, transient %v: got seq %d and error %v", name, transient, m.Seq, err)
			}
		}
		if tt.want == nil {
			f.wantTold(name, `msg `+tt.from+` "hi" seq 0`) // the stored one is the commit hook's to tell
		} else {
			f.wantTold(name)
		}
	}
}

func TestATransientMessageIsNotStored(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom")
	in := textOf(conv, "Tom", "hi")
	in.Transient = true
	m, err := f.Send(t.Context(), f.backend(), in)
	f.must(err)
	_, total, err := f.Page(t.Context(), f.backend(), conv, 1, 10)
	f.must(err)
	wantEqual(f, "the history", total, 0)
	_, err = f.Message(t.Context(), f.backend(), conv, m.ID)
	f.wantErr("by its id", err, skein.ErrUnknownMessage)
}

func TestAReplyIsToAMessageOfTheConversation(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv, other := f.create(skein.Group, "Tom"), f.create(skein.Group, "Tom")
	first, err := f.Send(t.Context(), f.backend(), textOf(conv, "Tom", "hi"))
	f.must(err)
	for name, tt := range map[string]struct {
		conv, to skein.ID
		want     error
	}{
		"of it":                   {conv, first.ID, nil},
		"of another conversation": {other, first.ID, skein.ErrUnknownMessage},
		"of none":                 {conv, skein.ID{1}, skein.ErrUnknownMessage},
	} {
		in := textOf(tt.conv, "Tom", "re")
		in.ReplyTo = tt.to
		m, err := f.Send(t.Context(), f.backend(), in)
		if tt.want != nil {
			f.wantFault(name, err, tt.want, "reply_to")
			continue
		}
		f.must(err)
		wantEqual(f, name, m.ReplyTo, tt.to)
	}
}

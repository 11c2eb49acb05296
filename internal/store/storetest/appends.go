package storetest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var appends = []check{
	{"a message is kept as it was given", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		first := f.say("shop", conv, "ann", "hi")
		for name, body := range map[string]skein.Body{
			"text":       {Type: skein.TypeText, Text: "a\u0001b 日本 \U0001F600"},
			"everything": {Type: skein.TypeImage, Text: "t", Attr: []byte(`{"w":1}`), URL: "https://x/y", MentionAll: true, Mentions: []string{"ann", "b.@:-_"}, ReplyTo: first.ID, NoSync: true},
			"own type":   {Type: 1 << 40, Attr: []byte(`null`)},
			"long":       {Type: skein.TypeText, Text: strings.Repeat("é", skein.MaxText/2), Attr: []byte(`"` + strings.Repeat("a", skein.MaxAttr-2) + `"`)},
		} {
			d := f.draft("shop", conv, "ann", "")
			d.Body, d.ClientMsgID = body, "id "+name
			got, again, err := f.Append(f.Context(), d)
			f.must(err)
			want := d.Message
			want.Seq, want.Status, want.Version = got.Seq, skein.StatusNormal, 1
			equal(f, "again", again, false)
			equal(f, name+": answer", got, want)
			got, err = f.Message(f.Context(), "shop", conv, d.ID, "")
			f.must(err)
			equal(f, name+": message", got, want)
		}
	}},
	{"seq goes 1, 2, 3 in each conversation", func(f *fixture) {
		f.app("shop", "ann")
		one, two := f.group("shop", "ann"), f.group("shop", "ann")
		for i := range int64(3) {
			equal(f, "seq", f.say("shop", one, "ann", "x").Seq, i+1)
			equal(f, "seq", f.say("shop", two, "ann", "x").Seq, i+1)
		}
		equal(f, "last", f.lookup("shop", one).LastSeq, 3)
		equal(f, "active", f.lookup("shop", one).Active, f.now())
	}},
	{"many at once are dense, each there once, and told in order to the node that stored them", func(f *fixture) {
		f.app("shop", "ann")
		convs := []skein.ID{f.group("shop", "ann"), f.group("shop", "ann"), f.group("shop", "ann")}
		const n = 300
		answers := make([]skein.Message, n)
		f.together(n, func(i int) (err error) {
			answers[i], _, err = f.one().Append(f.Context(), f.draft("shop", convs[i%3], "ann", fmt.Sprint(i)))
			return err
		})
		told := map[skein.ID][]skein.Message{}
		for _, s := range f.told() {
			told[s.Conv] = append(told[s.Conv], s.Message)
		}
		answered := map[skein.ID]skein.Message{}
		for _, m := range answers {
			answered[m.ID] = m
		}
		for _, conv := range convs {
			all := f.history("shop", conv)
			equal(f, "stored", len(all), n/3)
			for i, m := range all {
				equal(f, "seq", m.Seq, int64(i+1))
				equal(f, "answer", answered[m.ID], m)
			}
			equal(f, "told", told[conv], all)
		}
	}},
	{"the hook knows all about a message before its answer", func(f *fixture) {
		f.app("shop", "ann", "bob")
		c := f.create(f.conv("shop", skein.Private), "ann", "bob")
		d := f.draft("shop", c.ID, "ann", "hi")
		d.Device, d.Trace = "phone", skein.Trace{ID: [16]byte{1, 2}, Span: [8]byte{3}}
		m, _, err := f.Append(f.Context(), d)
		f.must(err)
		equal(f, "told", f.told(), []skein.Committed{{Message: m, App: "shop", ConvType: skein.Private, RosterRev: 1, Device: "phone", Trace: d.Trace, Spoken: true}})
	}},
	{"a message that may not be sent is not stored, nor a transient one admitted", func(f *fixture) {
		f.app("shop", "ann", "bob", "boss", "mute", "bad", "late")
		conv := f.conv("shop", skein.Group)
		_, _, err := f.CreateConversation(f.Context(), conv, []skein.Member{
			{Client: "ann"}, {Client: "boss", Role: skein.RoleAdmin}, {Client: "bad"}, {Client: "late"},
			{Client: "mute", MutedUntil: start.Add(time.Minute), Role: skein.RoleOwner},
		}, store.MemberLimit{})
		f.must(err)
		for id, until := range map[string]skein.Millis{"bad": skein.Forever, "late": start.Add(time.Minute)} {
			_, err := f.UpdateClient(f.Context(), "shop", id, func(c *skein.Client) error { c.BannedUntil = until; return nil })
			f.must(err)
		}
		elsewhere := f.group("shop", "ann")
		foreign := f.say("shop", elsewhere, "ann", "elsewhere")
		own := f.say("shop", conv.ID, "ann", "here")
		for name, tt := range map[string]struct {
			sender string
			need   skein.Need
			reply  skein.ID
			want   error // nil: it may
			later  error // what it is a minute later
		}{
			"a member":                        {sender: "ann", need: skein.NeedMember},
			"a member where a manager is due": {sender: "ann", need: skein.NeedManager, want: skein.ErrForbidden, later: skein.ErrForbidden},
			"a manager":                       {sender: "boss", need: skein.NeedManager},
			"a stranger":                      {sender: "bob", need: skein.NeedMember, want: skein.ErrForbidden, later: skein.ErrForbidden},
			"a stranger where any client may": {sender: "bob", need: skein.NeedClient},
			"a stranger by the server":        {sender: "bob", need: skein.NeedServer},
			"an unknown client":               {sender: "eve", need: skein.NeedServer, want: skein.ErrUnknownClient, later: skein.ErrUnknownClient},
			"a banned member":                 {sender: "bad", need: skein.NeedMember, want: skein.ErrBanned, later: skein.ErrBanned},
			"a banned member by the server":   {sender: "bad", need: skein.NeedServer, want: skein.ErrBanned, later: skein.ErrBanned},
			"a member banned for a minute":    {sender: "late", need: skein.NeedMember, want: skein.ErrBanned},
			"a muted owner":                   {sender: "mute", need: skein.NeedMember, want: skein.ErrForbidden},
			"a muted owner by the server":     {sender: "mute", need: skein.NeedServer},
			"a reply":                         {sender: "ann", need: skein.NeedMember, reply: own.ID},
			"a reply to nothing":              {sender: "ann", need: skein.NeedMember, reply: f.newID(), want: skein.ErrUnknownMessage, later: skein.ErrUnknownMessage},
			"a reply to elsewhere":            {sender: "ann", need: skein.NeedMember, reply: foreign.ID, want: skein.ErrUnknownMessage, later: skein.ErrUnknownMessage},
		} {
			f.clock.Store(int64(start))
			for _, want := range []error{tt.want, tt.later} {
				d := f.draft("shop", conv.ID, tt.sender, name)
				d.Need, d.ReplyTo = tt.need, tt.reply
				before := len(f.history("shop", conv.ID))
				c, err := f.Admit(f.Context(), d)
				if f.wantErr(err, want); err == nil {
					equal(f, name, c, f.lookup("shop", conv.ID))
				}
				_, _, err = f.Append(f.Context(), d)
				f.wantErr(err, want)
				stored := len(f.history("shop", conv.ID)) - before
				if (want == nil) != (stored == 1) {
					f.Fatalf("%s: stored %d messages", name, stored)
				}
				f.pass(time.Minute)
			}
		}
		for i, m := range f.history("shop", conv.ID) {
			equal(f, "seq", m.Seq, int64(i+1))
		}
	}},
	{"a message into nowhere is refused", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		conv := f.group("shop", "ann")
		for _, d := range []skein.Draft{
			f.draft("shop", f.newID(), "ann", "hi"), f.draft("game", conv, "ann", "hi"), f.draft("none", conv, "ann", "hi"),
		} {
			_, _, err := f.Append(f.Context(), d)
			f.wantErr(err, skein.ErrUnknownConversation)
			_, err = f.Admit(f.Context(), d)
			f.wantErr(err, skein.ErrUnknownConversation)
		}
	}},
	{"a message id is taken once", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		d := f.draft("shop", conv, "ann", "hi")
		_, _, err := f.Append(f.Context(), d)
		f.must(err)
		_, _, err = f.Append(f.Context(), d)
		f.wantErr(err, skein.ErrConflict)
		equal(f, "next", f.say("shop", conv, "ann", "more").Seq, 2)
	}},
	{"an admitted message leaves no trace", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		f.pass(time.Second)
		before := f.lookup("shop", conv)
		_, err := f.Admit(f.Context(), f.draft("shop", conv, "ann", "typing"))
		f.must(err)
		equal(f, "conversation", f.lookup("shop", conv), before)
		equal(f, "told", len(f.told()), 0)
	}},
	{"what others change counts for the next message", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann")
		f.say("shop", conv, "ann", "so that all of it is known")
		_, err := f.UpdateClient(f.Context(), "shop", "ann", func(c *skein.Client) error { c.BannedUntil = skein.Forever; return nil })
		f.must(err)
		_, _, err = f.Append(f.Context(), f.draft("shop", conv, "ann", "x"))
		f.wantErr(err, skein.ErrBanned)
		_, err = f.UpdateClient(f.Context(), "shop", "ann", func(c *skein.Client) error { c.BannedUntil = 0; return nil })
		f.must(err)
		equal(f, "seq", f.say("shop", conv, "ann", "x").Seq, 2)
		_, err = f.DeleteConversation(f.Context(), "shop", conv, store.Authority{})
		f.must(err)
		_, _, err = f.Append(f.Context(), f.draft("shop", conv, "ann", "x"))
		f.wantErr(err, skein.ErrUnknownConversation)
	}},
	{"a call whose context has ended does nothing", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		ctx, cancel := context.WithCancel(f.Context())
		cancel()
		_, _, err := f.Append(ctx, f.draft("shop", conv, "ann", "hi"))
		f.wantErr(err, context.Canceled)
		_, err = f.Messages(ctx, "shop", conv, skein.SeqRange{Limit: 1})
		f.wantErr(err, context.Canceled)
		equal(f, "stored", len(f.history("shop", conv)), 0)
	}},
}

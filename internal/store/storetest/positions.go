package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// alter changes a member now.
func (f *fixture) alter(app string, conv skein.ID, client string, change func(*skein.Member)) skein.Member {
	f.Helper()
	_, m, err := f.UpdateMember(f.Context(), app, conv, store.Authority{}, client, f.now(), func(_ skein.Conversation, m *skein.Member) error {
		change(m)
		return nil
	})
	f.must(err)
	return m
}

// alterConv changes a conversation.
func (f *fixture) alterConv(app string, conv skein.ID, change func(*skein.Conversation)) skein.Conversation {
	f.Helper()
	c, err := f.UpdateConversation(f.Context(), app, conv, store.Authority{}, func(c *skein.Conversation) error {
		change(c)
		return nil
	})
	f.must(err)
	return c
}

// member is one of a conversation's.
func (f *fixture) member(app string, conv skein.ID, client string) skein.Member {
	f.Helper()
	_, m, err := f.Conversation(f.Context(), app, conv, client)
	f.must(err)
	if m == nil {
		f.Fatalf("%s is no member", client)
	}
	return *m
}

func (f *fixture) remove(app string, conv skein.ID, clients ...string) {
	f.Helper()
	_, err := f.RemoveMembers(f.Context(), app, conv, store.Authority{}, clients, f.now(), 0)
	f.must(err)
}

func (f *fixture) add(app string, conv skein.ID, clients ...string) {
	f.Helper()
	_, err := f.AddMembers(f.Context(), app, conv, store.Authority{}, clients, f.now(), store.MemberLimit{})
	f.must(err)
}

var positions = []check{
	{"a position moves forward only and not past the end", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.sayMany("shop", conv, "ann", 3)
		for name, at := range map[string]func(*skein.Member) *int64{
			"read":     func(m *skein.Member) *int64 { return &m.ReadSeq },
			"received": func(m *skein.Member) *int64 { return &m.ReceivedSeq },
			"cleared":  func(m *skein.Member) *int64 { return &m.ClearedSeq },
		} {
			for _, tt := range []struct{ to, want int64 }{{-1, 0}, {2, 2}, {1, 2}, {99, 3}} {
				m := f.alter("shop", conv, "bob", func(m *skein.Member) { *at(m) = tt.to })
				equal(f, fmt.Sprint(name, " answered at ", tt.to), *at(&m), tt.want)
				m = f.member("shop", conv, "bob")
				equal(f, fmt.Sprint(name, " kept at ", tt.to), *at(&m), tt.want)
			}
		}
	}},
	{"what a member is stays, what it notes is kept", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		f.say("shop", conv, "ann", "hi")
		want := f.member("shop", conv, "ann")
		want.Marks = skein.Marks{Pinned: start + 1, Muted: true, Archived: true, Draft: "well"}
		got := f.alter("shop", conv, "ann", func(m *skein.Member) {
			m.Client, m.Joined, m.JoinSeq, m.SentSeq = "bob", 1, 1, 0
			m.Marks = want.Marks
		})
		equal(f, "answered", got, want)
		equal(f, "kept", f.member("shop", conv, "ann"), want)
		equal(f, "updated", f.lookup("shop", conv).Updated, 0)
	}},
	{"the change sees what was said before it", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		var behind atomic.Int64
		f.together(50, func(i int) error {
			if _, _, err := f.Append(f.Context(), f.draft("shop", conv, "ann", fmt.Sprint(i))); err != nil {
				return err
			}
			_, _, err := f.UpdateMember(f.Context(), "shop", conv, store.Authority{}, "ann", f.now(), func(c skein.Conversation, m *skein.Member) error {
				behind.Add(c.LastSeq - m.SentSeq)
				m.ReadSeq = c.LastSeq
				return nil
			})
			return err
		})
		equal(f, "sent less than said", behind.Load(), 0)
		equal(f, "read", f.member("shop", conv, "ann").ReadSeq, 50)
	}},
	{"an error from change is answered and nothing kept", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		no := errors.New("no")
		before := f.lookup("shop", conv)
		_, _, err := f.UpdateMember(f.Context(), "shop", conv, store.Authority{}, "ann", f.now(), func(_ skein.Conversation, m *skein.Member) error {
			m.Draft, m.Role = "well", skein.RoleOwner
			return no
		})
		f.wantErr(err, no)
		_, err = f.UpdateConversation(f.Context(), "shop", conv, store.Authority{}, func(c *skein.Conversation) error {
			c.MuteAll = true
			return no
		})
		f.wantErr(err, no)
		equal(f, "member", f.member("shop", conv, "ann"), skein.Member{Client: "ann", Joined: start, JoinSeq: 1})
		equal(f, "conversation", f.lookup("shop", conv), before)
	}},
	{"only a member of a known conversation can be altered", func(f *fixture) {
		f.app("shop", "ann", "bob")
		f.app("game", "ann")
		conv := f.group("shop", "ann")
		update := func(app string, conv skein.ID, client string) error {
			_, _, err := f.UpdateMember(f.Context(), app, conv, store.Authority{}, client, f.now(), func(skein.Conversation, *skein.Member) error { return nil })
			return err
		}
		f.wantErr(update("game", conv, "ann"), skein.ErrUnknownConversation)
		f.wantErr(update("shop", f.newID(), "ann"), skein.ErrUnknownConversation)
		f.wantFault(update("shop", conv, "bob"), skein.ErrUnknownClient, "bob")
		_, err := f.UpdateConversation(f.Context(), "game", conv, store.Authority{}, func(*skein.Conversation) error { return nil })
		f.wantErr(err, skein.ErrUnknownConversation)
		_, err = f.CountReaders(f.Context(), "game", conv, 1)
		f.wantErr(err, skein.ErrUnknownConversation)
	}},
	{"role, nickname and mute are news of the conversation", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		for i, change := range []func(*skein.Member){
			func(m *skein.Member) { m.Role = skein.RoleAdmin },
			func(m *skein.Member) { m.Nickname = "annie" },
			func(m *skein.Member) { m.MutedUntil = skein.Forever },
		} {
			f.pass(time.Second)
			m := f.alter("shop", conv, "ann", change)
			equal(f, fmt.Sprint("kept ", i), f.member("shop", conv, "ann"), m)
			equal(f, fmt.Sprint("updated ", i), f.lookup("shop", conv).Updated, f.now())
			f.pass(time.Second)
			f.alter("shop", conv, "ann", change)
			equal(f, fmt.Sprint("again ", i), f.lookup("shop", conv).Updated, f.now()-1000)
		}
	}},
	{"a new owner makes the one before an admin", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv, other := f.group("shop", "ann", "bob", "cat"), f.group("shop", "ann")
		owns := func(m *skein.Member) { m.Role = skein.RoleOwner }
		f.alter("shop", other, "ann", owns)
		f.alter("shop", conv, "ann", owns)
		f.alter("shop", conv, "bob", owns)
		equal(f, "ann", f.member("shop", conv, "ann").Role, skein.RoleAdmin)
		equal(f, "bob", f.member("shop", conv, "bob").Role, skein.RoleOwner)
		equal(f, "cat", f.member("shop", conv, "cat").Role, skein.RoleMember)
		equal(f, "ann elsewhere", f.member("shop", other, "ann").Role, skein.RoleOwner)
		f.together(30, func(i int) error {
			_, _, err := f.UpdateMember(f.Context(), "shop", conv, store.Authority{}, []string{"ann", "bob", "cat"}[i%3], f.now(),
				func(_ skein.Conversation, m *skein.Member) error {
					m.Role = skein.RoleOwner
					return nil
				})
			return err
		})
		owners := 0
		page, err := f.Members(f.Context(), "shop", conv, skein.MemberQuery{})
		f.must(err)
		for _, m := range page.Members {
			if m.Role == skein.RoleOwner {
				owners++
			}
		}
		equal(f, "owners", owners, 1)
	}},
	{"a mute and its end hold from the next message on", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		f.say("shop", conv, "ann", "so that ann is known to speak here")
		f.alter("shop", conv, "ann", func(m *skein.Member) { m.MutedUntil = f.now() + 5000 })
		_, _, err := f.Append(f.Context(), f.draft("shop", conv, "ann", "hi"))
		f.wantErr(err, skein.ErrForbidden)
		f.alter("shop", conv, "ann", func(m *skein.Member) { m.MutedUntil = 0 })
		f.say("shop", conv, "ann", "hi")
	}},
	{"where all are muted only owner, admins and the backend speak", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat", "dan")
		conv := f.group("shop", "ann", "bob", "cat")
		f.alter("shop", conv, "ann", func(m *skein.Member) { m.Role = skein.RoleOwner })
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.Role = skein.RoleAdmin })
		f.say("shop", conv, "cat", "so that cat is known to speak here")
		mute := func(on bool) { f.alterConv("shop", conv, func(c *skein.Conversation) { c.MuteAll = on }) }
		mute(true)
		equal(f, "muted", f.lookup("shop", conv).MuteAll, true)
		for _, tt := range []struct {
			who  string
			need skein.Need
			want error
		}{
			{"ann", skein.NeedMember, nil},
			{"bob", skein.NeedMember, nil},
			{"cat", skein.NeedMember, skein.ErrForbidden},
			{"dan", skein.NeedClient, skein.ErrForbidden},
			{"cat", skein.NeedServer, nil},
		} {
			d := f.draft("shop", conv, tt.who, "hi")
			d.Need = tt.need
			_, _, err := f.Append(f.Context(), d)
			f.wantErr(err, tt.want)
			_, err = f.Admit(f.Context(), d)
			f.wantErr(err, tt.want)
		}
		mute(false)
		f.say("shop", conv, "cat", "at last")
	}},
	{"a conversation is altered where it may be", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		before := f.lookup("shop", conv)
		got := f.alterConv("shop", conv, func(c *skein.Conversation) {
			*c = skein.Conversation{App: "game", Members: 7, LastSeq: 7, Extend: []byte(`1`), MuteAll: true, Updated: start + 5, Active: start - 5}
		})
		want := before
		want.Extend, want.MuteAll, want.Updated = []byte(`1`), true, start+5
		equal(f, "answered", got, want)
		equal(f, "kept", f.lookup("shop", conv), want)
		want.Active, want.Extend = start+9, nil
		got = f.alterConv("shop", conv, func(c *skein.Conversation) { c.Active, c.Extend = start+9, nil })
		equal(f, "answered then", got, want)
		equal(f, "kept then", f.lookup("shop", conv), want)
	}},
	{"who comes back has nothing of its former stay", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.sayMany("shop", conv, "bob", 5)
		f.alter("shop", conv, "bob", func(m *skein.Member) {
			m.Role, m.Nickname, m.MutedUntil, m.ReadSeq, m.ReceivedSeq, m.ClearedSeq = skein.RoleAdmin, "b", 1, 4, 5, 3
			m.Marks = skein.Marks{Pinned: 1, Muted: true, Archived: true, Draft: "well"}
		})
		f.remove("shop", conv, "bob")
		f.add("shop", conv, "bob")
		equal(f, "member", f.member("shop", conv, "bob"), skein.Member{Client: "bob", Joined: start, JoinSeq: 6})
	}},
	{"readers are counted among those who were there", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat", "dan", "eve", "fay")
		conv := f.group("shop", "ann", "bob", "cat", "dan", "eve")
		f.sayMany("shop", conv, "ann", 3)
		f.add("shop", conv, "fay")
		f.say("shop", conv, "ann", "4")
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.ReadSeq = 2 })
		f.alter("shop", conv, "cat", func(m *skein.Member) { m.ReceivedSeq = 3 })
		f.alter("shop", conv, "dan", func(m *skein.Member) { m.ClearedSeq = 1 })
		for seq, want := range map[int64]store.Readers{
			1: {Members: 5, Received: 4, Read: 3},
			2: {Members: 5, Received: 3, Read: 2},
			3: {Members: 5, Received: 2, Read: 1},
			4: {Members: 6, Received: 1, Read: 1},
		} {
			got, err := f.CountReaders(f.Context(), "shop", conv, seq)
			f.must(err)
			equal(f, fmt.Sprint("readers of ", seq), got, want)
		}
	}},
}

package storetest

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var conversations = []check{
	{"a conversation is kept as it was given", func(f *fixture) {
		f.app("shop", "ann", "bob")
		for _, extend := range [][]byte{nil, []byte(`{}`), []byte(`null`), []byte(`"a"`), {}} {
			c := f.conv("shop", skein.Group)
			c.Creator, c.Extend, c.Updated = "ann", extend, 3
			c.Members, c.LastSeq = 99, 99 // the store's to know
			got := f.create(c, "ann", "bob")
			c.Members, c.LastSeq, c.RosterRev = 2, 0, 1
			equal(f, "answer", got, c)
			equal(f, "conversation", f.lookup("shop", c.ID), c)
		}
	}},
	{"its members have their roles and mutes, and all that is said", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		c := f.conv("shop", skein.Group)
		_, _, err := f.CreateConversation(f.Context(), c, []skein.Member{
			{Client: "bob", Role: skein.RoleOwner, Joined: 7},
			{Client: "ann", Joined: 8, MutedUntil: 99},
			{Client: "bob", Joined: 9},
		}, store.MemberLimit{})
		f.must(err)
		page, err := f.Members(f.Context(), "shop", c.ID, skein.MemberQuery{})
		f.must(err)
		equal(f, "members", page.Members, []skein.Member{
			{Client: "bob", Role: skein.RoleOwner, Joined: 7, JoinSeq: 1},
			{Client: "ann", Joined: 8, JoinSeq: 1, MutedUntil: 99},
		})
		_, bob, err := f.Conversation(f.Context(), "shop", c.ID, "bob")
		f.must(err)
		equal(f, "bob", bob, &page.Members[0])
		_, cat, err := f.Conversation(f.Context(), "shop", c.ID, "cat")
		f.must(err)
		equal(f, "cat", cat, nil)
	}},
	{"all its members must exist", func(f *fixture) {
		f.app("shop", "ann", "bob")
		f.app("game", "eve")
		_, _, err := f.DeleteClient(f.Context(), "shop", "bob", f.now(), false)
		f.must(err)
		for want, ids := range map[string][]string{"eve": {"ann", "eve", "bob"}, "bob": {"bob", "eve"}} {
			c := f.conv("shop", skein.Group)
			_, _, err := f.CreateConversation(f.Context(), c, f.joining(ids...), store.MemberLimit{})
			f.wantFault(err, skein.ErrUnknownClient, want)
			f.unknownToAll("shop", c.ID, "ann")
		}
	}},
	{"an id is taken once in an app", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		c := f.conv("shop", skein.Group)
		f.create(c, "ann")
		_, _, err := f.CreateConversation(f.Context(), c, f.joining("ann"), store.MemberLimit{})
		f.wantErr(err, skein.ErrConflict)
		c.App = "game"
		f.create(c)
		equal(f, "members there", len(f.audience("game", c.ID)), 0)
		equal(f, "members here", f.audience("shop", c.ID), []string{"ann"})
	}},
	{"a private pair has one conversation, whoever asks", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		f.app("game", "ann", "bob")
		c := f.conv("shop", skein.Private)
		c.Extend = []byte(`1`)
		first := f.create(c, "ann", "bob")
		other := f.conv("shop", skein.Private)
		other.Extend = []byte(`2`)
		again, created, err := f.CreateConversation(f.Context(), other, f.joining("bob", "ann"), store.MemberLimit{PerClient: 1})
		f.must(err)
		equal(f, "created", created, false)
		equal(f, "answer", again, first)
		f.create(f.conv("shop", skein.Private), "ann", "cat")
		f.create(f.conv("game", skein.Private), "ann", "bob")
		f.unknownToAll("shop", other.ID, "ann")
	}},
	{"who is deleted frees the pairs of private conversations that it was removed from", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		for _, pair := range [][]string{{"ann", "bob"}, {"bob", "cat"}} {
			before := f.create(f.conv("shop", skein.Private), pair...)
			_, err := f.RemoveMembers(f.Context(), "shop", before.ID, store.Authority{}, []string{"bob"}, f.now(), 0)
			f.must(err)
		}
		_, _, err := f.DeleteClient(f.Context(), "shop", "bob", f.now(), false)
		f.must(err)
		_, _, err = f.CreateClient(f.Context(), skein.Client{App: "shop", ID: "bob"})
		f.must(err)
		for _, pair := range [][]string{{"ann", "bob"}, {"bob", "cat"}} {
			next := f.create(f.conv("shop", skein.Private), pair...)
			equal(f, "members", f.audience("shop", next.ID), pair)
		}
	}},
	{"a private pair asked for by a hundred at once is created once", func(f *fixture) {
		f.app("shop", "ann", "bob")
		var mu sync.Mutex
		made, ids := 0, map[skein.ID]bool{}
		f.together(100, func(i int) error {
			members := f.joining("ann", "bob")
			if i%2 == 1 {
				slices.Reverse(members)
			}
			c, created, err := f.CreateConversation(f.Context(), f.conv("shop", skein.Private), members, store.MemberLimit{})
			mu.Lock()
			defer mu.Unlock()
			ids[c.ID] = true
			if created {
				made++
			}
			return err
		})
		equal(f, "created", made, 1)
		equal(f, "ids", len(ids), 1)
	}},
	{"a deleted private conversation makes room for the next", func(f *fixture) {
		f.app("shop", "ann", "bob")
		first := f.create(f.conv("shop", skein.Private), "ann", "bob")
		_, err := f.DeleteConversation(f.Context(), "shop", first.ID, store.Authority{})
		f.must(err)
		second := f.create(f.conv("shop", skein.Private), "ann", "bob")
		f.purge()
		again, created, err := f.CreateConversation(f.Context(), f.conv("shop", skein.Private), f.joining("ann", "bob"), store.MemberLimit{})
		f.must(err)
		equal(f, "created", created, false)
		equal(f, "id", again.ID, second.ID)
	}},
	{"who is in too many conversations cannot be in another", func(f *fixture) {
		f.app("shop", "ann", "bob")
		gone := f.group("shop", "bob")
		f.group("shop", "bob")
		_, _, err := f.CreateConversation(f.Context(), f.conv("shop", skein.Group), f.joining("ann", "bob"), store.MemberLimit{PerClient: 2})
		f.wantFault(err, skein.ErrTooLarge, "bob")
		_, err = f.DeleteConversation(f.Context(), "shop", gone, store.Authority{})
		f.must(err)
		_, created, err := f.CreateConversation(f.Context(), f.conv("shop", skein.Group), f.joining("ann", "bob"), store.MemberLimit{PerClient: 2})
		f.must(err)
		equal(f, "created", created, true)
	}},
	{"a deleted conversation is unknown at once and answers its members", func(f *fixture) {
		f.app("shop", "bob", "ann")
		conv := f.group("shop", "bob", "ann")
		m := f.say("shop", conv, "ann", "hi")
		who, err := f.DeleteConversation(f.Context(), "shop", conv, store.Authority{})
		f.must(err)
		equal(f, "members", who, []string{"bob", "ann"})
		f.unknownToAll("shop", conv, "bob")
		_, err = f.Message(f.Context(), "shop", conv, m.ID, "")
		f.wantErr(err, skein.ErrUnknownMessage)
	}},
	{"another app's conversation is unknown", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		conv := f.group("shop", "ann")
		f.say("shop", conv, "ann", "hi")
		f.unknownToAll("game", conv, "ann")
		equal(f, "members", f.audience("shop", conv), []string{"ann"})
	}},
	{"a temporary conversation is unknown from its end on", func(f *fixture) {
		f.app("shop", "ann")
		c := f.conv("shop", skein.Temporary)
		c.TTL = time.Minute
		f.create(c, "ann")
		f.pass(time.Minute - time.Millisecond)
		equal(f, "members before its end", f.lookup("shop", c.ID).Members, 1)
		f.pass(time.Millisecond)
		f.unknownToAll("shop", c.ID, "ann")
	}},
	{"a temporary conversation lives on from its last message", func(f *fixture) {
		f.app("shop", "ann")
		for _, ttl := range []time.Duration{time.Second, time.Minute} {
			c := f.conv("shop", skein.Temporary)
			c.TTL = ttl
			f.create(c, "ann")
			const messages = 10
			for range messages {
				f.pass(ttl - time.Millisecond)
				f.say("shop", c.ID, "ann", "still here")
			}
			f.pass(ttl - time.Millisecond)
			equal(f, "newest", f.lookup("shop", c.ID).LastSeq, messages)
			f.pass(time.Millisecond)
			f.unknownToAll("shop", c.ID, "ann")
		}
	}},
	{"an update replaces what was there in all that match", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		one, two := f.conv("shop", skein.Group), f.conv("shop", skein.Room)
		one.Extend = []byte(`{"a":1,"b":2}`)
		f.create(one, "ann")
		f.create(two, "ann")
		other := f.create(f.conv("game", skein.Group), "ann")
		where := []skein.Condition{{Field: skein.FieldType, Op: skein.Eq, Values: []any{int64(skein.Group)}}}
		ids, err := f.UpdateConversations(f.Context(), "shop", store.Authority{}, where, []byte(`{"a":3}`), start+5)
		f.must(err)
		equal(f, "ids", ids, []skein.ID{one.ID})
		got := f.lookup("shop", one.ID)
		equal(f, "extend", string(got.Extend), `{"a":3}`)
		equal(f, "updated and active", []skein.Millis{got.Updated, got.Active}, []skein.Millis{start + 5, start + 5})
		equal(f, "the one that does not match", f.lookup("shop", two.ID).Updated, 0)
		equal(f, "the other app's", f.lookup("game", other.ID).Updated, 0)
		_, err = f.UpdateConversations(f.Context(), "shop", store.Authority{}, where, nil, start+6)
		f.must(err)
		equal(f, "extend of nil", f.lookup("shop", one.ID).Extend, nil)
	}},
	{"an update of none is an error", func(f *fixture) {
		f.app("shop")
		where := []skein.Condition{{Field: skein.FieldType, Op: skein.Eq, Values: []any{int64(skein.Group)}}}
		_, err := f.UpdateConversations(f.Context(), "shop", store.Authority{}, where, []byte(`1`), f.now())
		f.wantErr(err, skein.ErrUnknownConversation)
	}},
	{"an update of too many changes none", func(f *fixture) {
		f.app("shop")
		f.together(skein.MaxUpdated+1, func(int) error {
			_, _, err := f.CreateConversation(f.Context(), f.conv("shop", skein.Room), nil, store.MemberLimit{})
			return err
		})
		rooms := skein.Condition{Field: skein.FieldType, Op: skein.Eq, Values: []any{int64(skein.Room)}}
		_, err := f.UpdateConversations(f.Context(), "shop", store.Authority{}, []skein.Condition{rooms}, []byte(`1`), f.now())
		f.wantErr(err, skein.ErrTooLarge)
		never := skein.Condition{Field: skein.FieldUpdated, Op: skein.Gt, Values: []any{int64(0)}}
		page, err := f.FindConversations(f.Context(), "shop", skein.ConvQuery{Where: []skein.Condition{rooms, never}, Limit: 1, Count: true})
		f.must(err)
		equal(f, "changed", page.Total, 0)
		one := f.lastFound("shop", rooms)
		_, err = f.DeleteConversation(f.Context(), "shop", one, store.Authority{})
		f.must(err)
		ids, err := f.UpdateConversations(f.Context(), "shop", store.Authority{}, []skein.Condition{rooms}, []byte(`1`), f.now())
		f.must(err)
		equal(f, "just as many as may be", len(ids), skein.MaxUpdated)
	}},
	{"activity never runs back", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann")
		d := f.draft("shop", conv, "ann", "from a clock behind")
		d.Created = start - 1000
		_, _, err := f.Append(f.Context(), d)
		f.must(err)
		equal(f, "active", f.lookup("shop", conv).Active, start)
		_, err = f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{"bob"}, start-500, store.MemberLimit{})
		f.must(err)
		equal(f, "active", f.lookup("shop", conv).Active, start)
	}},
}

func (f *fixture) lastFound(app string, where ...skein.Condition) skein.ID {
	f.Helper()
	page, err := f.FindConversations(f.Context(), app, skein.ConvQuery{Where: where, Limit: 1})
	f.must(err)
	equal(f, "found", len(page.Conversations), 1)
	return page.Conversations[0].ID
}

func sortedIDs(ids []skein.ID) []skein.ID {
	return slices.SortedFunc(slices.Values(ids), func(a, b skein.ID) int { return bytes.Compare(a[:], b[:]) })
}

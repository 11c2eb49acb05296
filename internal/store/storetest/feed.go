package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var feed = []check{
	{"the feed tells all that was committed, in the order of the commits", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv := f.group("shop", "ann", "bob")
		one := f.say("shop", conv, "ann", "one")
		_, err := f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{"cat", "bob"}, f.now(), store.MemberLimit{})
		f.must(err)
		two := f.say("shop", conv, "cat", "two")
		f.become("shop", conv, one.ID, "ann", "", skein.Change{Kind: skein.ChangeRecall})
		f.becomesRole("shop", conv, "bob", skein.RoleOwner)
		f.becomesRole("shop", conv, "cat", skein.RoleOwner)
		_, err = f.RemoveMembers(f.Context(), "shop", conv, store.Authority{}, []string{"bob", "stranger"}, f.now(), 0)
		f.must(err)
		_, err = f.UpdateConversation(f.Context(), "shop", conv, store.Authority{}, func(c *skein.Conversation) error { c.Extend = []byte(`1`); return nil })
		f.must(err)
		where := []skein.Condition{{Field: skein.FieldConvID, Op: skein.Eq, Values: []any{conv.String()}}}
		_, err = f.UpdateConversations(f.Context(), "shop", store.Authority{}, where, []byte(`2`), f.now())
		f.must(err)
		three := f.say("shop", conv, "ann", "three")
		f.alterClient("shop", "ann", func(c *skein.Client) { c.BannedUntil, c.Cut = skein.Forever, f.now() })
		f.alterClient("shop", "ann", func(c *skein.Client) { c.BannedUntil = 0 })
		f.alterClient("shop", "ann", func(c *skein.Client) { c.DeviceCuts = map[string]skein.Millis{"phone": f.now()} })
		f.alterClient("shop", "ann", func(c *skein.Client) { c.Ext = []byte(`{}`) })
		f.alterClient("shop", "ann", func(*skein.Client) {})
		_, _, err = f.DeleteClient(f.Context(), "shop", "ann", f.now(), true)
		f.must(err)
		f.erase()
		_, err = f.DeleteConversation(f.Context(), "shop", conv, store.Authority{})
		f.must(err)
		f.must(f.DeleteApp(f.Context(), "shop"))

		in := func(kind store.EntryKind) store.Entry {
			return store.Entry{Kind: kind, App: "shop", Conv: conv, At: f.now()}
		}
		of := func(kind store.EntryKind, client string) store.Entry {
			return store.Entry{Kind: kind, App: "shop", Client: client, At: f.now()}
		}
		members := func(kind store.EntryKind, clients ...string) store.Entry {
			e := in(kind)
			e.Clients = clients
			return e
		}
		member := func(client string) store.Entry {
			e := in(store.EntryMemberUpdated)
			e.Client = client
			return e
		}
		message := func(m skein.Message) store.Entry {
			e := in(store.EntryMessage)
			e.Seq, e.Message, e.Client = m.Seq, m.ID, m.Sender
			return e
		}
		change := func(seq int64, by string) store.Entry {
			e := in(store.EntryChange)
			e.Change, e.Client = seq, by
			return e
		}
		want := []store.Entry{
			of(store.EntryClientCreated, "ann"), of(store.EntryClientCreated, "bob"), of(store.EntryClientCreated, "cat"),
			members(store.EntryConversationCreated, "ann", "bob"), message(one),
			members(store.EntryMembersAdded, "cat"), message(two), change(1, "ann"),
			member("bob"), member("bob"), member("cat"), members(store.EntryMembersRemoved, "bob"),
			in(store.EntryConversationUpdated), in(store.EntryConversationUpdated), message(three),
			of(store.EntryClientLoggedOut, "ann"), of(store.EntryClientBanned, "ann"), of(store.EntryClientUnbanned, "ann"),
			of(store.EntryClientLoggedOut, "ann"), of(store.EntryClientUpdated, "ann"),
			members(store.EntryMembersRemoved, "ann"), of(store.EntryClientDeleted, "ann"),
			change(2, ""), of(store.EntryClientErased, "ann"),
			members(store.EntryConversationDeleted, "cat"), of(store.EntryAppDeleted, ""),
		}
		for _, limit := range []int{1, 2, 7, 1000} {
			got, _ := f.feedAfter(store.FeedStart, limit)
			equal(f, fmt.Sprintf("the feed by pages of %d", limit), lines(f.unnumbered(got)), lines(want))
		}
	}},
	{"nothing is skipped, whatever commits meanwhile", func(f *fixture) {
		const writers, each = 8, 60
		f.app("shop", "ann", "bob")
		convs := make([]skein.ID, 3)
		for i := range convs {
			convs[i] = f.group("shop", "ann")
		}
		var done atomic.Bool
		var writing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					conv := convs[(w+i)%len(convs)]
					m, _, err := f.Append(f.Context(), f.draft("shop", conv, "ann", "hi"))
					if err != nil {
						f.Error(err)
						return
					}
					if i%3 == 0 {
						f.become("shop", conv, m.ID, "ann", "", skein.Change{Kind: skein.ChangeRecall})
					}
					if i%7 == 0 { // fails and is rolled back
						_, _ = f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{"bob", "nobody"}, f.now(), store.MemberLimit{})
					}
				}
			})
		}
		var told []store.Entry
		var reading sync.WaitGroup
		reading.Go(func() {
			at := store.FeedStart
			for last := false; ; {
				entries, next, err := f.Feed(f.Context(), at, 5)
				if err != nil {
					f.Error(err)
					return
				}
				told = append(told, entries...)
				if next == at && last {
					return
				}
				last, at = done.Load(), next
			}
		})
		writing.Wait()
		done.Store(true)
		reading.Wait()
		seqs, changes := make(map[skein.ID]int64), make(map[skein.ID]int64)
		seen := make(map[skein.ID]map[int64]bool)
		for _, conv := range convs {
			seen[conv] = make(map[int64]bool)
		}
		for _, e := range told {
			switch e.Kind {
			case store.EntryMessage:
				seqs[e.Conv]++
				equal(f, "seq", e.Seq, seqs[e.Conv])
				seen[e.Conv][e.Seq] = true
			case store.EntryChange:
				changes[e.Conv]++
				equal(f, "change_seq", e.Change, changes[e.Conv])
				about, err := f.Changes(f.Context(), "shop", e.Conv, skein.ChangeRange{After: e.Change - 1, Limit: 1})
				f.must(err)
				if !seen[e.Conv][about[0].Message.Seq] {
					f.Fatalf("change %d came before its message %d", e.Change, about[0].Message.Seq)
				}
			}
		}
		for _, conv := range convs {
			c := f.lookup("shop", conv)
			equal(f, "last seq and change", []int64{seqs[conv], changes[conv]}, []int64{c.LastSeq, c.Changes})
		}
	}},
	{"the end of the feed is behind everything before and before everything after", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		f.say("shop", conv, "ann", "before")
		end, err := f.FeedEnd(f.Context())
		f.must(err)
		got, next := f.feedAfter(end, 10)
		equal(f, "entries", lines(got), nil)
		equal(f, "next", next, end)
		f.clients("shop", "bob")
		f.say("shop", conv, "ann", "after")
		got, _ = f.feedAfter(end, 10)
		equal(f, "kinds", kinds(got), []store.EntryKind{store.EntryClientCreated, store.EntryMessage})
	}},
	{"what comes after a purge of the newest messages is told", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		living, dying := f.group("shop", "ann"), f.group("shop", "ann")
		f.say("shop", living, "ann", "one")
		f.sayMany("shop", dying, "ann", 20)
		_, cursor := f.feedAfter(store.FeedStart, 100)
		_, err := f.DeleteConversation(f.Context(), "shop", dying, store.Authority{})
		f.must(err)
		f.purge()
		f.must(f.DeleteApp(f.Context(), "game")) // an engine may have to look up again where it is
		f.purge()
		two := f.say("shop", living, "ann", "two")
		got, _ := f.feedAfter(cursor, 100)
		equal(f, "kinds", kinds(got), []store.EntryKind{store.EntryConversationDeleted, store.EntryAppDeleted, store.EntryMessage})
		equal(f, "message", got[2].Message, two.ID)
	}},
	{"what is purged is not told, its end is", func(f *fixture) {
		f.app("shop", "ann")
		short := f.conv("shop", skein.Temporary)
		short.TTL = time.Minute
		f.create(short, "ann")
		f.say("shop", short.ID, "ann", "hi")
		f.pass(time.Hour)
		f.purge()
		f.purge()
		got, _ := f.feedAfter(store.FeedStart, 100)
		equal(f, "kinds", kinds(got), []store.EntryKind{store.EntryClientCreated, store.EntryConversationCreated, store.EntryConversationDeleted})
		equal(f, "conversation", got[2].Conv, short.ID)
	}},
	{"an import tells nobody, what follows it does", func(f *fixture) {
		f.app("a", "Tom")
		cursor, err := f.FeedEnd(f.Context())
		f.must(err)
		c, m := f.arriving("a", "Tom")
		records := []any{c, m}
		for seq := range int64(30) {
			records = append(records, f.imported(c.ID, seq+1, "Tom", "old"))
		}
		for _, r := range f.bring("a", append(records, &store.End{Conv: c.ID, LastSeq: 30})) {
			f.must(r.Err)
		}
		moved, _ := f.movedAfter(cursor)
		equal(f, "moved", moved, nil)
		live := f.say("a", c.ID, "Tom", "new")
		for _, limit := range []int{1, 10, 100} {
			got, _ := f.feedAfter(cursor, limit)
			equal(f, "kinds", kinds(got), []store.EntryKind{store.EntryMessage})
			equal(f, "seq", got[0].Seq, live.Seq)
		}
	}},
	{"a cursor of another history is refused", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		before, err := f.FeedEnd(f.Context())
		f.must(err)
		f.must(f.NewEpoch(f.Context()))
		f.say("shop", conv, "ann", "hi")
		for _, cursor := range []store.FeedCursor{before, "x", "1.2", "1.2.3"} {
			_, _, err = f.Feed(f.Context(), cursor, 10)
			f.wantErr(err, store.ErrFeedCursor)
			_, _, err = f.Moved(f.Context(), cursor)
			f.wantErr(err, store.ErrFeedCursor)
		}
		got, _ := f.feedAfter(store.FeedStart, 10)
		equal(f, "kinds from the start", kinds(got), []store.EntryKind{store.EntryClientCreated, store.EntryConversationCreated, store.EntryMessage})
	}},
	{"what is not a message is forgotten after a week, and a cursor before that is refused", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		said := f.say("shop", conv, "ann", "hi")
		early, _, err := f.Feed(f.Context(), store.FeedStart, 1)
		f.must(err)
		_, old, err := f.Feed(f.Context(), store.FeedStart, 1)
		f.must(err)
		equal(f, "first", kinds(early), []store.EntryKind{store.EntryClientCreated})
		f.pass((store.EventDays - 1) * 24 * time.Hour)
		f.clients("shop", "bob")
		f.purge()
		got, _ := f.feedAfter(old, 10)
		equal(f, "within the week", kinds(got), []store.EntryKind{store.EntryConversationCreated, store.EntryMessage, store.EntryClientCreated})
		f.pass(48 * time.Hour)
		f.purge()
		_, _, err = f.Feed(f.Context(), old, 10)
		f.wantErr(err, store.ErrFeedCursor)
		got, _ = f.feedAfter(store.FeedStart, 1)
		equal(f, "from the start", kinds(got), []store.EntryKind{store.EntryMessage, store.EntryClientCreated})
		equal(f, "message", got[0].Message, said.ID)
		f.pass(30 * 24 * time.Hour)
		f.purge()
		f.clients("shop", "cat")
		f.feedAfter(store.FeedStart, 1) // and no key is given twice
	}},
	{"many members come in several entries", func(f *fixture) {
		var all []string
		for i := range 2*store.MaxEntryClients + 1 {
			all = append(all, fmt.Sprintf("c%04d", i))
		}
		f.app("shop", all...)
		end, err := f.FeedEnd(f.Context())
		f.must(err)
		f.group("shop", all...)
		got, _ := f.feedAfter(end, 10)
		equal(f, "kinds", kinds(got), []store.EntryKind{store.EntryConversationCreated, store.EntryMembersAdded, store.EntryMembersAdded})
		var named []string
		for _, e := range got {
			if len(e.Clients) > store.MaxEntryClients {
				f.Fatalf("got %d clients in one entry, want %d at the most", len(e.Clients), store.MaxEntryClients)
			}
			named = append(named, e.Clients...)
		}
		equal(f, "members", named, all)
	}},
	{"moved sums up what was committed in each conversation", func(f *fixture) {
		f.app("shop", "ann", "bob")
		quiet, changed, busy, gone := f.group("shop", "ann"), f.group("shop", "ann"), f.group("shop", "ann"), f.group("shop", "ann")
		said := f.say("shop", changed, "ann", "hi")
		f.say("shop", quiet, "ann", "hi")
		end, err := f.FeedEnd(f.Context())
		f.must(err)
		moved, next := f.movedAfter(end)
		equal(f, "moved", moved, nil)
		equal(f, "next", next, end)
		f.sayMany("shop", busy, "ann", 10)
		f.become("shop", changed, said.ID, "ann", "", skein.Change{Kind: skein.ChangeRecall})
		f.say("shop", gone, "ann", "hi")
		_, err = f.DeleteConversation(f.Context(), "shop", gone, store.Authority{})
		f.must(err)
		_, err = f.AddMembers(f.Context(), "shop", quiet, store.Authority{}, []string{"bob"}, f.now(), store.MemberLimit{})
		f.must(err)
		moved, next = f.movedAfter(end)
		edit := func(kind store.EntryKind, conv skein.ID, clients ...string) []store.Entry {
			return []store.Entry{{Kind: kind, App: "shop", Conv: conv, At: f.now(), Clients: clients}}
		}
		equal(f, "moved", moved, map[skein.ID]store.Moved{
			busy:    {App: "shop", Conv: busy, LastSeq: 10},
			changed: {App: "shop", Conv: changed, Changes: 1}, // its message is not news
			quiet:   {App: "shop", Conv: quiet, Edits: edit(store.EntryMembersAdded, quiet, "bob")},
			gone:    {App: "shop", Conv: gone, Edits: edit(store.EntryConversationDeleted, gone, "ann")},
		})
		said = f.say("shop", changed, "ann", "hi")
		f.become("shop", changed, said.ID, "ann", "", skein.Change{Kind: skein.ChangeRecall})
		moved, next = f.movedAfter(next)
		equal(f, "moved since", moved, map[skein.ID]store.Moved{changed: {App: "shop", Conv: changed, LastSeq: 2, Changes: 2}})
		moved, _ = f.movedAfter(next)
		equal(f, "moved since", moved, nil)
	}},
	{"moved comes to the end of much, and leaves nothing out", func(f *fixture) {
		f.app("shop", "ann")
		first, second := f.group("shop", "ann"), f.group("shop", "ann")
		end, err := f.FeedEnd(f.Context())
		f.must(err)
		f.say("shop", first, "ann", "hi")
		for range 11 {
			drafts := make([]skein.Draft, 3000) // an engine sums up so many at once
			for i := range drafts {
				drafts[i] = f.draft("shop", second, "ann", "hi")
			}
			all, err := f.AppendAll(f.Context(), drafts)
			f.must(err)
			f.must(all[len(all)-1].Err)
		}
		last := f.group("shop", "ann")
		f.say("shop", last, "ann", "hi")
		moved, next := f.movedAfter(end)
		equal(f, "conversations", len(moved), 3)
		now, err := f.FeedEnd(f.Context())
		f.must(err)
		equal(f, "next", next, now)
	}},
}

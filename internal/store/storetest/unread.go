package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// total is what a client has not read in all.
func (f *fixture) total(app, client string, muted bool) skein.UnreadTotal {
	f.Helper()
	total, err := f.Unread(f.Context(), app, client, muted)
	f.must(err)
	return total
}

// toRead is where a client has something to read, by conversation.
func (f *fixture) toRead(app, client string) map[skein.ID]int64 {
	f.Helper()
	all, err := f.ToRead(f.Context(), app, client)
	f.must(err)
	at := map[skein.ID]int64{}
	for _, r := range all {
		at[r.Conv] = r.Seq
	}
	equal(f, "conversations, each once", len(at), len(all))
	return at
}

var unread = []check{
	{"what is unread in all is what the views say", func(f *fixture) {
		f.app("shop", "ann", "bob")
		f.app("game", "ann", "bob")
		f.say("game", f.group("game", "ann", "bob"), "ann", "not of this app")
		equal(f, "in no conversation", f.total("shop", "bob", true), skein.UnreadTotal{})
		one, two, three, four := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		f.say("shop", f.group("shop", "ann"), "ann", "bob is no member")
		f.call("shop", one, "ann", "bob")
		f.call("shop", one, "ann", "*", "bob")
		f.say("shop", one, "ann", "three")
		f.say("shop", two, "ann", "two")
		f.call("shop", three, "ann", "*")
		f.say("shop", four, "bob", "bob has read all")
		equal(f, "said", f.total("shop", "bob", false), skein.UnreadTotal{Unread: 5, Mentions: 3, Conversations: 3})
		equal(f, "to ann", f.total("shop", "ann", false), skein.UnreadTotal{Unread: 1, Conversations: 1})
		f.alter("shop", three, "bob", func(m *skein.Member) { m.Muted = true })
		f.alter("shop", two, "bob", func(m *skein.Member) { m.Archived = true })
		equal(f, "one muted", f.total("shop", "bob", false), skein.UnreadTotal{Unread: 4, Mentions: 2, Conversations: 2})
		equal(f, "the muted too", f.total("shop", "bob", true), skein.UnreadTotal{Unread: 5, Mentions: 3, Conversations: 3})
		f.alter("shop", four, "bob", func(m *skein.Member) { m.Unread = true })
		equal(f, "one marked", f.total("shop", "bob", false), skein.UnreadTotal{Unread: 4, Mentions: 2, Conversations: 3})
		equal(f, "to read", f.toRead("shop", "bob"), map[skein.ID]int64{one: 3, two: 1, three: 1, four: 1})
		for _, m := range f.history("shop", one)[:2] {
			f.change("shop", m, "ann", recall)
		}
		f.change("shop", f.history("shop", two)[0], "bob", hide)
		equal(f, "taken back and hidden", f.total("shop", "bob", false), skein.UnreadTotal{Unread: 1, Conversations: 2})
		f.alter("shop", one, "bob", func(m *skein.Member) { m.ReadSeq = 3 })
		equal(f, "read", f.total("shop", "bob", false), skein.UnreadTotal{Conversations: 1})
		equal(f, "left to read", f.toRead("shop", "bob"), map[skein.ID]int64{two: 1, three: 1, four: 1})
		_, err := f.DeleteConversation(f.Context(), "shop", four, store.Authority{})
		f.must(err)
		f.remove("shop", three, "bob")
		equal(f, "left and deleted", f.total("shop", "bob", true), skein.UnreadTotal{})
	}},
	{"nothing is unread in a conversation past its end, nor by who is unknown", func(f *fixture) {
		f.app("shop", "ann", "bob")
		short := f.conv("shop", skein.Temporary)
		short.TTL = time.Minute
		conv := f.create(short, "ann", "bob").ID
		f.say("shop", conv, "ann", "hi")
		equal(f, "before", f.total("shop", "bob", false), skein.UnreadTotal{Unread: 1, Conversations: 1})
		f.pass(time.Hour)
		for _, who := range [][2]string{{"shop", "bob"}, {"shop", "eve"}, {"none", "bob"}} {
			equal(f, fmt.Sprint(who), f.total(who[0], who[1], true), skein.UnreadTotal{})
			equal(f, fmt.Sprint(who, " to read"), len(f.toRead(who[0], who[1])), 0)
		}
	}},
	{"many memberships are altered at once, each where it may be", func(f *fixture) {
		f.app("shop", "ann", "bob")
		f.app("game", "ann", "bob")
		foreign, left, unheard := f.group("game", "ann", "bob"), f.group("shop", "ann"), f.newID()
		var ids []skein.ID
		for i := range 3 {
			conv := f.group("shop", "ann", "bob")
			f.sayMany("shop", conv, "ann", 3+i)
			ids = append(ids, conv)
		}
		f.alter("shop", ids[0], "bob", func(m *skein.Member) { m.Role, m.ReadSeq = skein.RoleAdmin, 2 })
		_, _, err := f.Conversation(f.Context(), "shop", ids[1], "bob") // so that it may be remembered
		f.must(err)
		before := f.lookup("shop", ids[1])
		asked := []skein.ID{ids[2], foreign, ids[0], left, unheard, ids[1]}
		var seen []int
		all, err := f.UpdateMemberships(f.Context(), "shop", "bob", asked, func(i int, c skein.Conversation, m *skein.Member) {
			seen = append(seen, i)
			equal(f, "conversation", c.ID, asked[i])
			m.Client, m.Role, m.Nickname, m.MutedUntil = "eve", skein.RoleOwner, "b", 9
			m.ReadSeq, m.ReceivedSeq, m.Unread, m.Draft = 1, 99, true, "well"
		})
		f.must(err)
		equal(f, "asked about", seen, []int{0, 2, 5})
		equal(f, "answers", len(all), len(asked))
		for i, want := range []error{nil, skein.ErrUnknownConversation, nil, skein.ErrUnknownClient, skein.ErrUnknownConversation, nil} {
			f.wantErr(all[i].Err, want)
			if want != nil {
				continue
			}
			m := f.member("shop", asked[i], "bob")
			equal(f, "kept", m, all[i].After)
			equal(f, "the conversation", all[i].Conversation, f.lookup("shop", asked[i]))
			equal(f, "marks", m.Marks, skein.Marks{Unread: true, Draft: "well"})
			equal(f, "before", all[i].Before.Marks, skein.Marks{})
			equal(f, "received", m.ReceivedSeq, f.lookup("shop", asked[i]).LastSeq)
			equal(f, "what it is", fmt.Sprint(m.Client, m.Nickname, m.MutedUntil), "bob0")
		}
		equal(f, "role and read, which do not run back", fmt.Sprint(all[2].After.Role, all[2].After.ReadSeq), "admin 2")
		equal(f, "the conversation stays", f.lookup("shop", ids[1]), before)
		all, err = f.UpdateMemberships(f.Context(), "shop", "bob", nil, nil)
		f.must(err)
		equal(f, "none", len(all), 0)
	}},
	{"a mark as unread is news to the client alone", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.say("shop", conv, "ann", "hi")
		cursors := map[string]skein.SyncCursor{}
		for _, client := range []string{"ann", "bob"} {
			page, err := f.Sync(f.Context(), "shop", client, skein.SyncCursor{}, 10)
			f.must(err)
			cursors[client] = page.Next
		}
		news := func() (who []string) {
			for client, after := range cursors {
				page, err := f.Sync(f.Context(), "shop", client, after, 10)
				f.must(err)
				for _, v := range page.Views {
					who = append(who, fmt.Sprint(client, " ", v.Member.Unread))
				}
				cursors[client] = page.Next
			}
			slices.Sort(who)
			return who
		}
		_, err := f.UpdateMemberships(f.Context(), "shop", "bob", []skein.ID{conv}, func(_ int, _ skein.Conversation, m *skein.Member) { m.Unread = true })
		f.must(err)
		equal(f, "marked", news(), []string{"bob true"})
		f.say("shop", conv, "ann", "hi")
		equal(f, "spoken since", news(), []string{"ann false", "bob true"})
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.Unread = false })
		equal(f, "taken away", news(), []string{"bob false"})
		equal(f, "nothing more", len(news()), 0)
	}},
}

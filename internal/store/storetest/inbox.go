package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// view is a conversation as a member sees it.
func (f *fixture) view(app string, conv skein.ID, client string) skein.View {
	f.Helper()
	v, err := f.View(f.Context(), app, conv, client)
	f.must(err)
	return v
}

// call says something that mentions clients; "*" is everyone.
func (f *fixture) call(app string, conv skein.ID, sender string, mentions ...string) skein.Message {
	f.Helper()
	d := f.draft(app, conv, sender, "you there")
	for _, id := range mentions {
		if id == "*" {
			d.MentionAll = true
		} else {
			d.Mentions = append(d.Mentions, id)
		}
	}
	m, _, err := f.Append(f.Context(), d)
	f.must(err)
	return m
}

// wantCounts wants what a member has not read, and how often that mentions it.
func (f *fixture) wantCounts(what, app string, conv skein.ID, client string, unread, mentions int64) {
	f.Helper()
	v := f.view(app, conv, client)
	equal(f, what+": unread and mentions", []int64{v.Unread(), v.Mentions}, []int64{unread, mentions})
}

var inbox = []check{
	{"a view is the conversation, the member and the newest message", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		v := f.view("shop", conv, "bob")
		equal(f, "without messages", v, skein.View{Conversation: f.lookup("shop", conv), Member: f.member("shop", conv, "bob")})
		f.say("shop", conv, "ann", "one")
		last := f.say("shop", conv, "ann", "two")
		v = f.view("shop", conv, "bob")
		equal(f, "conversation", v.Conversation, f.lookup("shop", conv))
		equal(f, "last", v.Last, &last)
		_, err := f.View(f.Context(), "shop", f.newID(), "bob")
		f.wantErr(err, skein.ErrUnknownConversation)
		f.clients("shop", "cat")
		_, err = f.View(f.Context(), "shop", conv, "cat")
		f.wantFault(err, skein.ErrUnknownClient, "cat")
	}},
	{"of a private conversation a view names the other one", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.conv("shop", skein.Private)
		_, _, err := f.CreateConversation(f.Context(), conv, f.joining("ann", "bob"), store.MemberLimit{})
		f.must(err)
		equal(f, "to ann", f.view("shop", conv.ID, "ann").Peer, "bob")
		equal(f, "to bob", f.view("shop", conv.ID, "bob").Peer, "ann")
		f.say("shop", conv.ID, "bob", "hi")
		equal(f, "to ann, with a message", f.view("shop", conv.ID, "ann").Peer, "bob")
		page, err := f.Views(f.Context(), "shop", "ann", skein.ViewQuery{Limit: 10})
		f.must(err)
		equal(f, "in a list", page.Views[0].Peer, "bob")
		equal(f, "of a group", f.view("shop", f.group("shop", "ann", "bob"), "ann").Peer, "")
	}},
	{"unread is what others said after what was read, cleared, joined or said", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.sayMany("shop", conv, "ann", 5)
		f.wantCounts("the sender", "shop", conv, "ann", 0, 0)
		f.wantCounts("another", "shop", conv, "bob", 5, 0)
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.ReadSeq = 2 })
		f.wantCounts("read", "shop", conv, "bob", 3, 0)
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.ClearedSeq = 4 })
		f.wantCounts("cleared", "shop", conv, "bob", 1, 0)
		f.say("shop", conv, "bob", "mine")
		f.wantCounts("spoken", "shop", conv, "bob", 0, 0)
		f.say("shop", conv, "ann", "more")
		f.wantCounts("one more", "shop", conv, "bob", 1, 0)
		f.remove("shop", conv, "bob")
		f.add("shop", conv, "bob")
		f.wantCounts("come back", "shop", conv, "bob", 0, 0)
		f.say("shop", conv, "ann", "welcome")
		f.wantCounts("welcomed", "shop", conv, "bob", 1, 0)
	}},
	{"what the backend says for a member moves that member's position only if asked", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann")
		say := func(sender string, markRead bool) {
			d := f.draft("shop", conv, sender, "hi")
			d.Need, d.MarkRead = skein.NeedServer, markRead
			_, _, err := f.Append(f.Context(), d)
			f.must(err)
		}
		say("bob", true) // no member
		say("ann", false)
		equal(f, "sent", f.member("shop", conv, "ann").SentSeq, 0)
		f.wantCounts("ann", "shop", conv, "ann", 2, 0)
		say("ann", true)
		equal(f, "sent with MarkRead", f.member("shop", conv, "ann").SentSeq, 3)
		f.wantCounts("ann", "shop", conv, "ann", 0, 0)
	}},
	{"a message tells whether its sender had not read all that was said before", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		want := func(what, sender string, want bool) {
			f.Helper()
			all, err := f.AppendAll(f.Context(), []skein.Draft{f.draft("shop", conv, sender, "hi")})
			f.must(err)
			equal(f, what, all[0].Passed, want)
		}
		want("the first", "ann", false)
		want("ann goes on", "ann", false)
		want("bob answers", "bob", true)
		want("ann answers", "ann", true)
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.ReadSeq = 4 })
		want("bob has read", "bob", false)
		want("bob goes on", "bob", false)
		f.alter("shop", conv, "ann", func(m *skein.Member) { m.ReadSeq = 5 })
		want("ann has read some", "ann", true)
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.ClearedSeq = 7 })
		want("bob has cleared all", "bob", false)
	}},
	{"mentions count messages, by name or with everyone, until they are read", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv := f.group("shop", "ann", "bob", "cat")
		f.call("shop", conv, "ann", "bob", "bob")
		f.call("shop", conv, "ann", "*", "bob")
		f.call("shop", conv, "ann", "*")
		f.call("shop", conv, "ann", "cat", "")
		f.wantCounts("bob", "shop", conv, "bob", 4, 3)
		f.wantCounts("cat", "shop", conv, "cat", 4, 3)
		f.wantCounts("ann", "shop", conv, "ann", 0, 0)
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.ReadSeq = 2 })
		f.wantCounts("bob has read", "shop", conv, "bob", 2, 1)
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.ClearedSeq = 3 })
		f.wantCounts("bob has cleared", "shop", conv, "bob", 1, 0)
		f.call("shop", conv, "cat", "cat", "*")
		f.wantCounts("cat spoke of itself", "shop", conv, "cat", 0, 0)
	}},
	{"an edit alters whom a message mentions, until it is read, retried or taken back", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv := f.group("shop", "ann", "bob", "cat")
		d := f.draft("shop", conv, "ann", "you there")
		d.ClientMsgID, d.Mentions = "x", []string{"bob"}
		said, _, err := f.Append(f.Context(), d)
		f.must(err)
		f.call("shop", conv, "ann", "cat")
		mention := func(what string, all bool, clients []string, bob, cat int64) {
			f.Helper()
			c := edit("you there")
			c.Message.MentionAll, c.Message.Mentions = all, clients
			f.change("shop", said, "ann", c)
			f.wantCounts(what+", bob", "shop", conv, "bob", 2, bob)
			f.wantCounts(what+", cat", "shop", conv, "cat", 2, cat)
			got := f.look("shop", said, "")
			equal(f, what, fmt.Sprint(got.MentionAll, got.Mentions), fmt.Sprint(all, clients))
		}
		mention("another", false, []string{"cat"}, 0, 2)
		mention("both", false, []string{"cat", "bob"}, 1, 2)
		mention("all", true, []string{"bob"}, 1, 2)
		mention("nobody", false, nil, 0, 1)
		mention("all, then", true, nil, 1, 2)
		equal(f, "version", f.look("shop", said, "").Version, 6)
		c := edit("you there")
		c.Message.MentionAll = true
		equal(f, "as it is", f.change("shop", said, "ann", c).Kind, skein.ChangeNone)
		equal(f, "changes", len(f.log("shop", conv, "")), 5)
		m, again, err := f.Append(f.Context(), d)
		f.must(err)
		equal(f, "a retry shows it", fmt.Sprint(again, m.Seq, m.MentionAll, m.Mentions), "true 1 true []")
		d.MentionAll, d.Mentions = true, nil
		_, _, err = f.Append(f.Context(), d)
		f.wantErr(err, skein.ErrConflict)
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.ReadSeq = 1 })
		f.wantCounts("read", "shop", conv, "bob", 1, 0)
		f.change("shop", said, "cat", hide)
		f.wantCounts("hidden", "shop", conv, "cat", 1, 1)
		f.change("shop", said, "", recall)
		equal(f, "recalled", f.look("shop", said, "").MentionAll, false)
	}},
	{"what was taken back or deleted is not unread and mentions nobody", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv := f.group("shop", "ann", "bob", "cat")
		recalled := f.call("shop", conv, "ann", "bob")
		hidden := f.call("shop", conv, "ann", "*")
		f.call("shop", conv, "cat", "bob")
		f.wantCounts("at first", "shop", conv, "bob", 3, 3)
		f.change("shop", recalled, "ann", recall)
		f.wantCounts("recalled", "shop", conv, "bob", 2, 2)
		f.change("shop", hidden, "bob", hide)
		f.wantCounts("hidden", "shop", conv, "bob", 1, 1)
		_, _, err := f.DeleteClient(f.Context(), "shop", "cat", f.now(), true)
		f.must(err)
		f.erase()
		f.wantCounts("erased", "shop", conv, "bob", 0, 0)
		equal(f, "the last is blank", f.view("shop", conv, "bob").Last.Status, skein.StatusDeleted)
	}},
	{"the last message is not shown where it was cleared, and blank where hidden", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		last := f.call("shop", conv, "ann", "bob")
		f.change("shop", last, "bob", hide)
		equal(f, "to bob", f.view("shop", conv, "bob").Last, new(f.look("shop", last, "bob")))
		equal(f, "text to bob", f.view("shop", conv, "bob").Last.Text, "")
		equal(f, "text to ann", f.view("shop", conv, "ann").Last.Text, "you there")
		f.change("shop", last, "ann", recall)
		equal(f, "to bob, recalled since", f.view("shop", conv, "bob").Last, new(f.look("shop", last, "bob")))
		f.alter("shop", conv, "ann", func(m *skein.Member) { m.ClearedSeq = 1 })
		equal(f, "cleared", f.view("shop", conv, "ann").Last, nil)
		next := f.say("shop", conv, "bob", "next")
		equal(f, "the next", f.view("shop", conv, "ann").Last, &next)
	}},
	{"the list has the pinned first, then the newest, and the archived apart", func(f *fixture) {
		f.app("shop", "ann", "bob")
		f.app("game", "ann")
		f.group("game", "ann")
		f.group("shop", "bob")
		name := map[skein.ID]string{}
		convs := map[string]skein.ID{}
		for _, n := range []string{"a", "b", "c", "d", "e", "f"} {
			convs[n] = f.group("shop", "ann")
			name[convs[n]] = n
		}
		f.pass(time.Second)
		f.say("shop", convs["b"], "ann", "hi")
		for _, n := range []string{"a", "d"} {
			f.alter("shop", convs[n], "ann", func(m *skein.Member) { m.Pinned = f.now() })
		}
		f.alter("shop", convs["e"], "ann", func(m *skein.Member) { m.Archived = true })
		_, err := f.DeleteConversation(f.Context(), "shop", convs["f"], store.Authority{})
		f.must(err)
		list := func(q skein.ViewQuery) (names string, page skein.ViewPage) {
			page, err := f.Views(f.Context(), "shop", "ann", q)
			f.must(err)
			for _, v := range page.Views {
				equal(f, "view", v, f.view("shop", v.ID, "ann"))
				names += name[v.ID]
			}
			return names, page
		}
		for what, tt := range map[string]struct {
			q     skein.ViewQuery
			want  string
			total int
		}{
			"all":          {skein.ViewQuery{Limit: 9}, "dabc", 4},
			"archived":     {skein.ViewQuery{Limit: 9, Archived: true}, "e", 1},
			"a page":       {skein.ViewQuery{Limit: 2, Offset: 1}, "ab", 4},
			"past the end": {skein.ViewQuery{Limit: 2, Offset: 200_000_000}, "", 4},
			"only counted": {skein.ViewQuery{}, "", 4},
		} {
			names, page := list(tt.q)
			equal(f, what, names, tt.want)
			equal(f, what+" in all", page.Total, tt.total)
		}
		var walked strings.Builder
		q := skein.ViewQuery{Limit: 1}
		for {
			names, page := list(q)
			walked.WriteString(names)
			if q.After = page.Next; q.After.IsZero() {
				break
			}
		}
		equal(f, "walked", walked.String(), "dabc")
	}},
	{"who is unknown or in nothing has no views", func(f *fixture) {
		f.app("shop", "ann")
		short := f.conv("shop", skein.Temporary)
		short.TTL = time.Minute
		f.create(short, "ann")
		f.pass(time.Minute)
		for _, who := range [][2]string{{"shop", "eve"}, {"none", "ann"}, {"shop", "ann"}} {
			page, err := f.Views(f.Context(), who[0], who[1], skein.ViewQuery{Limit: 9})
			f.must(err)
			equal(f, fmt.Sprint(who), page, skein.ViewPage{})
		}
	}},
}

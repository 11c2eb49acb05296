package storetest

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var syncs = []check{
	{"the first sync tells of everything that is there, in pages", func(f *fixture) {
		f.app("shop", "ann", "bob")
		f.app("game", "ann")
		f.group("game", "ann")
		left, deleted := f.group("shop", "ann", "bob"), f.group("shop", "ann")
		f.remove("shop", left, "ann")
		_, err := f.DeleteConversation(f.Context(), "shop", deleted, store.Authority{})
		f.must(err)
		var convs []skein.ID
		for range 7 {
			convs = append(convs, f.group("shop", "ann", "bob"))
			f.group("shop", "bob")
		}
		f.call("shop", convs[3], "bob", "ann")
		ann := f.follow("shop", "ann")
		var sizes []int
		for done := false; !done; {
			page := ann.page(3)
			sizes = append(sizes, len(page.Views))
			equal(f, "gone", len(page.Gone), 0)
			done = page.Done
		}
		equal(f, "pages", sizes, []int{3, 3, 1})
		equal(f, "known", len(ann.knows), 7)
		for _, conv := range convs {
			equal(f, "view", ann.knows[conv], f.view("shop", conv, "ann"))
		}
		ann.wantNews("later", nil, nil)
	}},
	{"a page ends early where much is written", func(f *fixture) {
		f.app("shop", "ann")
		long := strings.Repeat("x", skein.MaxText)
		const groups = 100 // of 16 KiB each: more than a page holds, and less than two
		for range groups {
			f.say("shop", f.group("shop", "ann"), "ann", long)
		}
		ann := f.follow("shop", "ann")
		first := ann.page(groups)
		if first.Done || len(first.Views) < 50 || len(first.Views) > 80 {
			f.Fatalf("got a page of %d conversations, done %v, want about 1 MiB of 16 KiB each", len(first.Views), first.Done)
		}
		second := ann.page(groups)
		equal(f, "done", second.Done, true)
		equal(f, "told in all", len(first.Views)+len(second.Views), groups)
		equal(f, "known", len(ann.knows), groups)
	}},
	{"each change is told once to those who see it", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv, other := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		first := f.say("shop", conv, "ann", "hi")
		ann, bob := f.follow("shop", "ann"), f.follow("shop", "bob")
		ann.wantNews("at first", []skein.ID{conv, other}, nil)
		bob.wantNews("at first", []skein.ID{conv, other}, nil)
		where := []skein.Condition{{Field: skein.FieldConvID, Op: skein.Eq, Values: []any{conv.String()}}}
		for _, tt := range []struct {
			what string
			do   func()
			both bool // else ann alone
		}{
			{"a message", func() { f.say("shop", conv, "ann", "hello") }, true},
			{"a recall", func() { f.change("shop", first, "ann", recall) }, true},
			{"an extension", func() { f.alterConv("shop", conv, func(c *skein.Conversation) { c.Extend = []byte(`1`) }) }, true},
			{"extensions by query", func() {
				_, err := f.UpdateConversations(f.Context(), "shop", store.Authority{}, where, []byte(`2`), f.now())
				f.must(err)
			}, true},
			{"a mute of all", func() { f.alterConv("shop", conv, func(c *skein.Conversation) { c.MuteAll = true }) }, true},
			{"who came", func() { f.add("shop", conv, "cat") }, true},
			{"who left", func() { f.remove("shop", conv, "cat") }, true},
			{"who came again", func() { f.add("shop", conv, "cat") }, true},
			{"who was deleted", func() {
				_, _, err := f.DeleteClient(f.Context(), "shop", "cat", f.now(), false)
				f.must(err)
			}, true},
			{"a role", func() { f.alter("shop", conv, "ann", func(m *skein.Member) { m.Role = skein.RoleOwner }) }, true},
			{"a nickname", func() { f.alter("shop", conv, "ann", func(m *skein.Member) { m.Nickname = "annie" }) }, true},
			{"a position", func() { f.alter("shop", conv, "ann", func(m *skein.Member) { m.ReadSeq = 2 }) }, false},
			{"a mark", func() { f.alter("shop", conv, "ann", func(m *skein.Member) { m.Draft = "well" }) }, false},
			{"what cleared", func() { f.alter("shop", conv, "ann", func(m *skein.Member) { m.ClearedSeq = 2 }) }, false},
		} {
			tt.do()
			ann.wantNews(tt.what, []skein.ID{conv}, nil)
			equal(f, tt.what, ann.knows[conv], f.view("shop", conv, "ann"))
			var told []skein.ID
			if tt.both {
				told = []skein.ID{conv}
			}
			bob.wantNews(tt.what, told, nil)
			equal(f, tt.what, bob.knows[conv], f.view("shop", conv, "bob"))
			ann.wantNews(tt.what+", again", nil, nil)
			bob.wantNews(tt.what+", again", nil, nil)
		}
	}},
	{"what changes nothing is not told", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.say("shop", conv, "ann", "hi")
		bob := f.follow("shop", "bob")
		bob.news()
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.ReadSeq = -1 })
		f.alterConv("shop", conv, func(c *skein.Conversation) { c.Active = 1 })
		f.add("shop", conv, "bob")
		f.remove("shop", conv, "eve")
		bob.wantNews("nothing", nil, nil)
	}},
	{"who was demoted by a new owner is told", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.alter("shop", conv, "ann", func(m *skein.Member) { m.Role = skein.RoleOwner })
		ann := f.follow("shop", "ann")
		ann.news()
		f.alter("shop", conv, "bob", func(m *skein.Member) { m.Role = skein.RoleOwner })
		ann.wantNews("demoted", []skein.ID{conv}, nil)
		equal(f, "role", ann.knows[conv].Member.Role, skein.RoleAdmin)
	}},
	{"what is gone is told once, before and after it was purged", func(f *fixture) {
		for _, purged := range []bool{false, true} {
			app := fmt.Sprint("purged-", purged)
			f.app(app, "ann", "bob", "cat")
			left, deleted := f.group(app, "ann", "bob"), f.group(app, "ann", "bob")
			short := f.conv(app, skein.Temporary)
			short.TTL = time.Minute
			f.create(short, "ann", "bob")
			ann, bob := f.follow(app, "ann"), f.follow(app, "bob")
			ann.news()
			bob.news()
			f.remove(app, left, "ann")
			_, err := f.DeleteConversation(f.Context(), app, deleted, store.Authority{})
			f.must(err)
			bob.wantNews("left and deleted", []skein.ID{left}, []skein.ID{deleted})
			if purged {
				f.purge()
			}
			ann.wantNews("left and deleted", nil, []skein.ID{left, deleted})
			ann.wantNews("again", nil, nil)
			f.say(app, short.ID, "ann", "hi")
			f.pass(time.Minute)
			ann.wantNews("past its end, not marked yet", nil, nil)
			f.purge()
			ann.wantNews("past its end", nil, []skein.ID{short.ID})
			bob.wantNews("past its end", nil, []skein.ID{short.ID})
			f.purge()
			ann.wantNews("after all", nil, nil)
			bob.wantNews("after all", nil, nil)
			equal(f, "ann knows", len(ann.knows), 0)
			equal(f, "bob knows", len(bob.knows), 1)
		}
	}},
	{"who comes back is not gone", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		ann := f.follow("shop", "ann")
		ann.news()
		f.remove("shop", conv, "ann")
		f.add("shop", conv, "ann")
		ann.wantNews("back", []skein.ID{conv}, nil)
		f.remove("shop", conv, "ann")
		f.remove("shop", conv, "bob")
		_, err := f.DeleteConversation(f.Context(), "shop", conv, store.Authority{})
		f.must(err)
		f.purge()
		c := f.conv("shop", skein.Group)
		c.ID = conv
		f.create(c, "ann")
		ann.wantNews("another of the same id", []skein.ID{conv}, nil)
	}},
	{"what happens between two pages is found", func(f *fixture) {
		f.app("shop", "ann", "bob")
		var convs []skein.ID
		for range 6 {
			convs = append(convs, f.group("shop", "ann", "bob"))
		}
		ann := f.follow("shop", "ann")
		ann.page(2)
		f.say("shop", convs[0], "bob", "told before")
		f.say("shop", convs[5], "bob", "not told yet")
		f.remove("shop", convs[1], "ann")
		f.remove("shop", convs[4], "ann")
		c := f.group("shop", "ann")
		ann.news()
		ann.news()
		equal(f, "known", len(ann.knows), 5)
		for _, conv := range []skein.ID{convs[0], convs[2], convs[3], convs[5], c} {
			equal(f, "view", ann.knows[conv], f.view("shop", conv, "ann"))
		}
		ann.wantNews("later", nil, nil)
	}},
	{"what was stored together is told in pages as well", func(f *fixture) {
		f.app("shop", "ann", "bob")
		convs := make([]skein.ID, 20)
		for i := range convs {
			convs[i] = f.group("shop", "ann", "bob")
		}
		ann := f.follow("shop", "ann")
		ann.news()
		f.together(len(convs), func(i int) error {
			_, _, err := f.Append(f.Context(), f.draft("shop", convs[i], "bob", "hi"))
			return err
		})
		ann.wantNews("all", convs, nil)
		f.together(len(convs), func(i int) error {
			_, err := f.RemoveMembers(f.Context(), "shop", convs[i], store.Authority{}, []string{"ann"}, f.now(), 0)
			return err
		})
		ann.wantNews("none", nil, convs)
	}},
	{"many conversations of an app changed, and few of the client's", func(f *fixture) {
		f.app("shop", "ann", "bob")
		mine := []skein.ID{f.group("shop", "ann"), f.group("shop", "ann", "bob"), f.group("shop", "ann")}
		ann := f.follow("shop", "ann")
		ann.news()
		f.together(2500, func(int) error {
			_, _, err := f.CreateConversation(f.Context(), f.conv("shop", skein.Group), f.joining("bob"), store.MemberLimit{})
			return err
		})
		f.say("shop", mine[1], "bob", "hi")
		f.alter("shop", mine[2], "ann", func(m *skein.Member) { m.Muted = true })
		f.remove("shop", mine[0], "ann")
		ann.wantNews("of many", mine[1:], mine[:1])
	}},
	{"nothing is lost while others write", func(f *fixture) {
		f.app("shop", "ann", "bob")
		convs := make([]skein.ID, 8)
		for i := range convs {
			convs[i] = f.group("shop", "ann", "bob")
		}
		ann := f.follow("shop", "ann")
		var writing atomic.Int64
		const writers = 8
		writing.Store(writers)
		f.together(writers+1, func(i int) error {
			if i == writers {
				return ann.whileAny(&writing)
			}
			defer writing.Add(-1)
			for n := range 30 {
				if _, _, err := f.Append(f.Context(), f.draft("shop", convs[(i*7+n*3)%len(convs)], "bob", "hi")); err != nil {
					return err
				}
			}
			return nil
		})
		ann.news()
		ann.news()
		for _, conv := range convs {
			equal(f, "view", ann.knows[conv], f.view("shop", conv, "ann"))
		}
	}},
	{"another history asks for a new beginning", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		ann := f.follow("shop", "ann")
		ann.news()
		before := ann.cursor
		f.must(f.NewEpoch(f.Context()))
		page := ann.page(9)
		equal(f, "page", page, skein.SyncPage{Next: page.Next, Reset: true})
		ann.wantNews("begun anew", []skein.ID{conv}, nil)
		ann.wantNews("then", nil, nil)
		ann.cursor = before
		equal(f, "the cursor of before, once more", ann.page(9).Reset, true)
	}},
	{"who was away longer than departures are remembered begins anew", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv, left := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		ann, bob := f.follow("shop", "ann"), f.follow("shop", "bob")
		ann.news()
		before := ann.cursor
		bob.news()
		f.remove("shop", left, "ann")
		bob.news()
		f.pass(80 * 24 * time.Hour)
		f.purge()
		equal(f, "reset after 80 days", ann.page(9).Reset, false)
		f.pass(20 * 24 * time.Hour)
		ann = f.follow("shop", "ann")
		ann.cursor = before
		f.purge()
		equal(f, "reset after 100 days", ann.page(9).Reset, true)
		ann.wantNews("begun anew", []skein.ID{conv}, nil)
		for range 3 {
			f.pass(100 * 24 * time.Hour)
			f.purge()
			ann.wantNews("in a quiet app", nil, nil)
			bob.wantNews("in a quiet app", nil, nil)
		}
	}},
	{"who was not away is not asked to begin anew in a quiet app", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "bob")
		f.group("shop", "ann")
		conv := f.group("game", "bob")
		ann := f.follow("shop", "ann")
		f.remove("game", conv, "bob")
		ann.news()
		f.pass(100 * 24 * time.Hour)
		f.purge()
		ann.wantNews("later", nil, nil)
	}},
	{"an erasure in a deleted conversation is no news", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.say("shop", conv, "bob", "hi")
		ann := f.follow("shop", "ann")
		ann.news()
		_, err := f.DeleteConversation(f.Context(), "shop", conv, store.Authority{})
		f.must(err)
		ann.wantNews("deleted", nil, []skein.ID{conv})
		_, _, err = f.DeleteClient(f.Context(), "shop", "bob", f.now(), true)
		f.must(err)
		f.erase()
		ann.wantNews("erased", nil, nil)
	}},
	{"who has the id of a deleted client hears nothing of that one's", func(f *fixture) {
		f.app("shop", "ann", "bob")
		left, conv := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		hidden := f.say("shop", conv, "bob", "hi")
		ann := f.follow("shop", "ann")
		ann.news()
		f.change("shop", hidden, "ann", hide)
		f.remove("shop", left, "ann")
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		f.clients("shop", "ann")
		page := ann.page(9)
		equal(f, "told", len(page.Views)+len(page.Gone), 0)
		f.add("shop", conv, "ann")
		equal(f, "text", f.view("shop", conv, "ann").Last.Text, "hi")
	}},
	{"who is unknown is told of nothing", func(f *fixture) {
		f.app("shop", "ann")
		f.group("shop", "ann")
		for _, who := range [][2]string{{"shop", "eve"}, {"none", "ann"}} {
			page, err := f.Sync(f.Context(), who[0], who[1], skein.SyncCursor{}, 9)
			f.must(err)
			equal(f, "done", page.Done, true)
			equal(f, "told", len(page.Views)+len(page.Gone), 0)
		}
	}},
}

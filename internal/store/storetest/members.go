package storetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var members = []check{
	{"who is added is a member from then on", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv := f.group("shop", "ann")
		f.say("shop", conv, "ann", "one")
		f.say("shop", conv, "ann", "two")
		added, err := f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{"cat", "ann", "bob", "cat"}, start+5, store.MemberLimit{})
		f.must(err)
		equal(f, "added", added, []string{"cat", "bob"})
		page, err := f.Members(f.Context(), "shop", conv, skein.MemberQuery{})
		f.must(err)
		equal(f, "members", page.Members, []skein.Member{
			{Client: "ann", Joined: start, JoinSeq: 1, SentSeq: 2},
			{Client: "cat", Joined: start + 5, JoinSeq: 3},
			{Client: "bob", Joined: start + 5, JoinSeq: 3},
		})
		c := f.lookup("shop", conv)
		equal(f, "count", c.Members, 3)
		equal(f, "updated and active", []skein.Millis{c.Updated, c.Active}, []skein.Millis{start + 5, start + 5})
		equal(f, "next seq", f.say("shop", conv, "bob", "three").Seq, 3)
	}},
	{"who is a member already stays as it was", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		added, err := f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{"ann"}, start+5, store.MemberLimit{Members: 1, PerClient: 1})
		f.must(err)
		equal(f, "added", len(added), 0)
		equal(f, "updated", f.lookup("shop", conv).Updated, 0)
	}},
	{"all are added or none", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat", "dan")
		conv := f.group("shop", "ann")
		f.group("shop", "dan")
		for name, tt := range map[string]struct {
			ids   []string
			limit store.MemberLimit
			err   error
			field string
		}{
			"one is unknown":     {[]string{"bob", "eve", "fay"}, store.MemberLimit{}, skein.ErrUnknownClient, "eve"},
			"too many in all":    {[]string{"bob", "cat"}, store.MemberLimit{Members: 2}, skein.ErrTooLarge, "members"},
			"one is in too many": {[]string{"bob", "dan"}, store.MemberLimit{PerClient: 1}, skein.ErrTooLarge, "dan"},
		} {
			added, err := f.AddMembers(f.Context(), "shop", conv, store.Authority{}, tt.ids, f.now(), tt.limit)
			f.wantFault(err, tt.err, tt.field)
			equal(f, name, len(added), 0)
			equal(f, name, f.audience("shop", conv), []string{"ann"})
			equal(f, name, f.lookup("shop", conv).Members, 1)
		}
		_, err := f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{"bob", "cat"}, f.now(), store.MemberLimit{Members: 3, PerClient: 1})
		f.must(err)
		room := f.create(f.conv("shop", skein.Room), "ann").ID
		_, err = f.AddMembers(f.Context(), "shop", room, store.Authority{}, []string{"bob", "cat"}, f.now(), store.MemberLimit{Members: 1})
		f.must(err) // a room may be of any size
	}},
	{"a limit holds when many join at once", func(f *fixture) {
		f.app("shop")
		conv := f.group("shop")
		for i := range 20 {
			f.clients("shop", fmt.Sprint("c", i))
		}
		var mu sync.Mutex
		refused := 0
		f.together(20, func(i int) error {
			_, err := f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{fmt.Sprint("c", i)}, f.now(), store.MemberLimit{Members: 7})
			if err == nil {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			refused++
			return nil
		})
		equal(f, "refused", refused, 13)
		equal(f, "members", len(f.audience("shop", conv)), 7)
		equal(f, "count", f.lookup("shop", conv).Members, 7)
	}},
	{"who is removed is no member", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv := f.group("shop", "ann", "bob", "cat")
		f.say("shop", conv, "bob", "so that bob is known to speak here")
		removed, err := f.RemoveMembers(f.Context(), "shop", conv, store.Authority{}, []string{"bob", "eve", "bob", "ann"}, start+5, 0)
		f.must(err)
		equal(f, "removed", removed, []string{"bob", "ann"})
		equal(f, "audience", f.audience("shop", conv), []string{"cat"})
		c := f.lookup("shop", conv)
		equal(f, "count", c.Members, 1)
		equal(f, "updated and active", []skein.Millis{c.Updated, c.Active}, []skein.Millis{start + 5, start + 5})
		_, _, err = f.Append(f.Context(), f.draft("shop", conv, "bob", "hi"))
		f.wantErr(err, skein.ErrForbidden)
		removed, err = f.RemoveMembers(f.Context(), "shop", conv, store.Authority{}, []string{"bob"}, start+6, 0)
		f.must(err)
		equal(f, "removed again", len(removed), 0)
		equal(f, "updated then", f.lookup("shop", conv).Updated, start+5)
	}},
	{"who comes back joins anew", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.say("shop", conv, "ann", "one")
		_, err := f.RemoveMembers(f.Context(), "shop", conv, store.Authority{}, []string{"ann"}, f.now(), 0)
		f.must(err)
		_, err = f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{"ann"}, start+9, store.MemberLimit{})
		f.must(err)
		page, err := f.Members(f.Context(), "shop", conv, skein.MemberQuery{})
		f.must(err)
		equal(f, "members", page.Members, []skein.Member{
			{Client: "bob", Joined: start, JoinSeq: 1}, {Client: "ann", Joined: start + 9, JoinSeq: 2},
		})
	}},
	{"members are listed in order of joining, by page and by cursor", func(f *fixture) {
		ids := []string{"d", "b", "e", "a", "c"}
		f.app("shop", ids...)
		conv := f.group("shop", ids[:2]...)
		f.pass(time.Second)
		_, err := f.AddMembers(f.Context(), "shop", conv, store.Authority{}, ids[2:], f.now(), store.MemberLimit{})
		f.must(err)
		for name, tt := range map[string]struct {
			q    skein.MemberQuery
			want []string
			next bool
		}{
			"all":            {skein.MemberQuery{}, ids, false},
			"all from third": {skein.MemberQuery{Offset: 2}, ids[2:], false},
			"the first page": {skein.MemberQuery{Limit: 2}, ids[:2], true},
			"the last page":  {skein.MemberQuery{Limit: 2, Offset: 4}, ids[4:], false},
			"just all":       {skein.MemberQuery{Limit: 5}, ids, false},
			"past the end":   {skein.MemberQuery{Limit: 2, Offset: 200_000_000}, nil, false},
		} {
			page, err := f.Members(f.Context(), "shop", conv, tt.q)
			f.must(err)
			equal(f, name, memberIDs(page), tt.want)
			equal(f, name+": more", !page.Next.IsZero(), tt.next)
		}
		var walked []string
		q := skein.MemberQuery{Limit: 2}
		for {
			page, err := f.Members(f.Context(), "shop", conv, q)
			f.must(err)
			walked = append(walked, memberIDs(page)...)
			if q.After = page.Next; q.After.IsZero() {
				break
			}
		}
		equal(f, "walked", walked, ids)
	}},
	{"the audience is the members and since when", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann")
		f.say("shop", conv, "ann", "before")
		_, err := f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{"bob"}, f.now(), store.MemberLimit{})
		f.must(err)
		got, _, err := f.Audience(f.Context(), "shop", conv, 0)
		f.must(err)
		equal(f, "audience", got, []skein.Listener{skein.NewListener("ann", 1), skein.NewListener("bob", 2)})
		_, err = f.RemoveMembers(f.Context(), "shop", conv, store.Authority{}, []string{"ann"}, f.now(), 0)
		f.must(err)
		got, _, err = f.Audience(f.Context(), "shop", conv, 0)
		f.must(err)
		equal(f, "audience without ann", got, []skein.Listener{skein.NewListener("bob", 2)})
		got, _, err = f.Audience(f.Context(), "shop", f.newID(), 0)
		f.must(err)
		equal(f, "of none", len(got), 0)
	}},
}

func memberIDs(page skein.MemberPage) (ids []string) {
	for _, m := range page.Members {
		ids = append(ids, m.Client)
	}
	return ids
}

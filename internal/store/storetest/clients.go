package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var clients = []check{
	{"a client is kept as it was given", func(f *fixture) {
		f.app("shop")
		for id, ext := range map[string][]byte{"nil": nil, "object": []byte(`{}`), "null": []byte(`null`), "empty": {}} {
			c := skein.Client{App: "shop", ID: id, Ext: ext, Created: 5, Updated: 6, BannedUntil: skein.Forever, BanReason: "a\u0001b", Cut: 7}
			got, created, err := f.CreateClient(f.Context(), c)
			f.must(err)
			equal(f, "created", created, true)
			c.Rev, c.Incarnation = 1, 1
			equal(f, "answer", got, c)
			got, err = f.Client(f.Context(), "shop", id)
			f.must(err)
			equal(f, "client", got, c)
		}
	}},
	{"who is there is answered as it is", func(f *fixture) {
		f.app("shop")
		first := skein.Client{App: "shop", ID: "ann", Ext: []byte(`1`), Created: 5}
		_, _, err := f.CreateClient(f.Context(), first)
		f.must(err)
		got, created, err := f.CreateClient(f.Context(), skein.Client{App: "shop", ID: "ann", Ext: []byte(`2`), Created: 6})
		f.must(err)
		equal(f, "created", created, false)
		first.Rev, first.Incarnation = 1, 1
		equal(f, "client", got, first)
	}},
	{"a client created by many at once is created once", func(f *fixture) {
		f.app("shop")
		var made atomic.Int32
		f.together(50, func(int) error {
			_, created, err := f.CreateClient(f.Context(), skein.Client{App: "shop", ID: "ann", Created: 5})
			if created {
				made.Add(1)
			}
			return err
		})
		equal(f, "created", made.Load(), 1)
	}},
	{"the same id in two apps is two clients", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		c, err := f.Client(f.Context(), "game", "ann")
		f.must(err)
		equal(f, "deleted", c.Deleted, false)
		_, err = f.Client(f.Context(), "none", "ann")
		f.wantErr(err, skein.ErrUnknownClient)
	}},
	{"ids are told apart by case", func(f *fixture) {
		f.app("shop", "Ann")
		_, err := f.Client(f.Context(), "shop", "ann")
		f.wantErr(err, skein.ErrUnknownClient)
	}},
	{"clients are listed in order of creation, by page and by cursor", func(f *fixture) {
		f.app("shop", "d", "b", "gone", "a", "c")
		f.app("game", "x")
		_, _, err := f.DeleteClient(f.Context(), "shop", "gone", f.now(), false)
		f.must(err)
		for name, tt := range map[string]struct {
			q    skein.ClientQuery
			want []string
			next bool
		}{
			"the first page": {skein.ClientQuery{Limit: 3}, []string{"d", "b", "a"}, true},
			"the last page":  {skein.ClientQuery{Limit: 3, Offset: 3}, []string{"c"}, false},
			"just all":       {skein.ClientQuery{Limit: 4}, []string{"d", "b", "a", "c"}, false},
			"past the end":   {skein.ClientQuery{Limit: 3, Offset: 300_000_000}, nil, false},
		} {
			page, err := f.Clients(f.Context(), "shop", tt.q)
			f.must(err)
			equal(f, name, clientIDs(page), tt.want)
			equal(f, name+": total", page.Total, 4)
			equal(f, name+": more", !page.Next.IsZero(), tt.next)
		}
		var walked []string
		q := skein.ClientQuery{Limit: 1}
		for {
			page, err := f.Clients(f.Context(), "shop", q)
			f.must(err)
			walked = append(walked, clientIDs(page)...)
			if q.After = page.Next; q.After.IsZero() {
				break
			}
		}
		equal(f, "walked", walked, []string{"d", "b", "a", "c"})
	}},
	{"a listing may ask for some ids only", func(f *fixture) {
		f.app("shop", "c", "b", "a")
		page, err := f.Clients(f.Context(), "shop", skein.ClientQuery{IDs: []string{"a", "none", "c"}, Limit: 10})
		f.must(err)
		equal(f, "ids", clientIDs(page), []string{"c", "a"})
		equal(f, "total", page.Total, 2)
		page, err = f.Clients(f.Context(), "shop", skein.ClientQuery{IDs: []string{}, Limit: 10})
		f.must(err)
		equal(f, "none asked for", page, skein.ClientPage{})
	}},
	{"an update keeps everything but app, id, creation and life", func(f *fixture) {
		f.app("shop", "ann")
		want := skein.Client{App: "shop", ID: "ann", Ext: []byte(`[1]`), Created: start, Updated: 8, BannedUntil: 9, BanReason: "x", Cut: 10, DeviceCuts: map[string]skein.Millis{"phone": 11}, Rev: 2, Incarnation: 1}
		got, err := f.UpdateClient(f.Context(), "shop", "ann", func(c *skein.Client) error {
			*c = want
			c.App, c.ID, c.Created, c.Deleted, c.Rev, c.Incarnation = "game", "bob", 1, true, 9, 9
			return nil
		})
		f.must(err)
		equal(f, "answer", got, want)
		got, err = f.Client(f.Context(), "shop", "ann")
		f.must(err)
		equal(f, "client", got, want)
	}},
	{"an update that fails keeps nothing", func(f *fixture) {
		f.app("shop", "ann")
		no := errors.New("no")
		_, err := f.UpdateClient(f.Context(), "shop", "ann", func(c *skein.Client) error {
			c.Cut = 9
			return no
		})
		f.wantErr(err, no)
		c, err := f.Client(f.Context(), "shop", "ann")
		f.must(err)
		equal(f, "cut", c.Cut, 0)
	}},
	{"an unknown or deleted client cannot be altered or deleted", func(f *fixture) {
		f.app("shop", "ann")
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		for _, id := range []string{"ann", "eve"} {
			_, err := f.UpdateClient(f.Context(), "shop", id, func(*skein.Client) error { return nil })
			f.wantErr(err, skein.ErrUnknownClient)
			_, _, err = f.DeleteClient(f.Context(), "shop", id, f.now(), false)
			f.wantErr(err, skein.ErrUnknownClient)
		}
	}},
	{"of a deleted client its id and its cut are left", func(f *fixture) {
		f.app("shop")
		_, _, err := f.CreateClient(f.Context(), skein.Client{App: "shop", ID: "ann", Ext: []byte(`{"name":"Ann"}`), Created: 5, BannedUntil: 99, BanReason: "x"})
		f.must(err)
		_, _, err = f.DeleteClient(f.Context(), "shop", "ann", 77, false)
		f.must(err)
		c, err := f.Client(f.Context(), "shop", "ann")
		f.must(err)
		if !c.Deleted || c.Cut != 77 || c.Ext != nil || c.BanReason != "" {
			f.Fatalf("got %+v", c)
		}
	}},
	{"a deleted client is created anew and keeps its cut", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", 77, false)
		f.must(err)
		want := skein.Client{App: "shop", ID: "ann", Ext: []byte(`2`), Created: 80, Cut: 77, Rev: 3, Incarnation: 2}
		got, created, err := f.CreateClient(f.Context(), skein.Client{App: "shop", ID: "ann", Ext: []byte(`2`), Created: 80})
		f.must(err)
		equal(f, "created", created, true)
		equal(f, "answer", got, want)
		got, err = f.Client(f.Context(), "shop", "ann")
		f.must(err)
		equal(f, "client", got, want)
		equal(f, "members", f.audience("shop", conv), []string{"bob"})
		page, err := f.Clients(f.Context(), "shop", skein.ClientQuery{Limit: 10})
		f.must(err)
		equal(f, "order", clientIDs(page), []string{"bob", "ann"})
	}},
	{"a deleted client is out of its conversations", func(f *fixture) {
		f.app("shop", "ann", "bob")
		one, two := f.group("shop", "ann", "bob"), f.group("shop", "ann")
		gone := f.group("shop", "ann")
		f.group("shop", "bob")
		_, err := f.DeleteConversation(f.Context(), "shop", gone, store.Authority{})
		f.must(err)
		left, _, err := f.DeleteClient(f.Context(), "shop", "ann", start+5, false)
		f.must(err)
		equal(f, "left", sortedIDs(left), sortedIDs([]skein.ID{one, two}))
		equal(f, "audience", f.audience("shop", one), []string{"bob"})
		equal(f, "count", f.lookup("shop", one).Members, 1)
		equal(f, "count of the other", f.lookup("shop", two).Members, 0)
		page, err := f.FindConversations(f.Context(), "shop", skein.ConvQuery{Member: "ann", Limit: 10})
		f.must(err)
		equal(f, "conversations", len(page.Conversations), 0)
		_, _, err = f.Append(f.Context(), f.draft("shop", one, "ann", "hi"))
		f.wantErr(err, skein.ErrUnknownClient)
	}},
	{"who takes the id of a deleted client sees what that one deleted for itself", func(f *fixture) {
		f.app("shop", "ann", "bob")
		stayed, left := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		seen := func(conv skein.ID) []skein.Message {
			f.lookup("shop", conv) // an engine may keep what is read behind it
			page, err := f.Messages(f.Context(), "shop", conv, skein.SeqRange{Limit: 10, Newest: true, Viewer: "ann"})
			f.must(err)
			return page
		}
		for _, conv := range []skein.ID{stayed, left} {
			f.change("shop", f.say("shop", conv, "bob", "hi"), "ann", hide)
			equal(f, "the one who deleted it", seen(conv)[0].Text, "")
		}
		f.remove("shop", left, "ann")
		equal(f, "the one who left", seen(left)[0].Text, "")
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		f.clients("shop", "ann")
		for _, conv := range []skein.ID{stayed, left} {
			f.add("shop", conv, "ann")
			equal(f, "the next one", seen(conv)[0].Text, "hi")
		}
	}},
	{"a private conversation stays that of its two, though a third who was in it is deleted", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		first := f.create(f.conv("shop", skein.Private), "ann", "bob")
		f.add("shop", first.ID, "cat")
		_, _, err := f.DeleteClient(f.Context(), "shop", "cat", f.now(), false)
		f.must(err)
		again, created, err := f.CreateConversation(f.Context(), f.conv("shop", skein.Private), f.joining("bob", "ann"), store.MemberLimit{})
		f.must(err)
		equal(f, "created", created, false)
		equal(f, "conversation", again.ID, first.ID)
	}},
	{"the next private conversation with a deleted client's successor is a new one", func(f *fixture) {
		f.app("shop", "ann", "bob")
		first := f.create(f.conv("shop", skein.Private), "ann", "bob")
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		equal(f, "members", f.audience("shop", first.ID), []string{"bob"})
		f.clients("shop", "ann")
		second := f.create(f.conv("shop", skein.Private), "bob", "ann")
		if second.ID == first.ID {
			f.Fatal("got the old conversation")
		}
	}},
	{"clients created together are as if created one after the other", func(f *fixture) {
		f.app("shop", "c7", "c150")
		_, _, err := f.DeleteClient(f.Context(), "shop", "c150", f.now(), false)
		f.must(err)
		var all []skein.Client
		for i := range 250 {
			all = append(all, skein.Client{ID: fmt.Sprint("c", i), Ext: fmt.Appendf(nil, `{"n":%d}`, i), Created: f.now()})
		}
		all = append(all, skein.Client{ID: "c3", Ext: []byte(`1`), Created: f.now()})
		got, err := f.CreateClients(f.Context(), "shop", all)
		f.must(err)
		equal(f, "answers", len(got), len(all))
		for i, c := range got {
			want := i != 7 && i != 250
			equal(f, fmt.Sprint("created ", i), c.Created, want)
			there, err := f.Client(f.Context(), "shop", all[i].ID)
			f.must(err)
			equal(f, "client", c.Client, there)
			if want {
				equal(f, "ext", string(there.Ext), string(all[i].Ext))
			}
		}
		page, err := f.Clients(f.Context(), "shop", skein.ClientQuery{Limit: 1})
		f.must(err)
		equal(f, "in all", page.Total, 250)
		_, err = f.CreateClients(f.Context(), "none", all[:1])
		f.wantErr(err, skein.ErrUnknownApp)
	}},
}

func clientIDs(page skein.ClientPage) (ids []string) {
	for _, c := range page.Clients {
		ids = append(ids, c.ID)
	}
	return ids
}

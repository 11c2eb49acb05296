package storetest

import (
	"bytes"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var upkeep = []check{
	{"a store that is open answers a ping", func(f *fixture) {
		f.must(f.Ping(f.Context()))
	}},
	{"the secret stays as it is, whatever its reader does with it", func(f *fixture) {
		secret := f.Secret()
		equal(f, "bytes", len(secret), 16)
		equal(f, "only zeros", bytes.Equal(secret, make([]byte, 16)), false)
		clear(f.Secret())
		f.app("shop", "ann")
		f.must(f.NewEpoch(f.Context()))
		equal(f, "again", f.Secret(), secret)
	}},
	{"there is nothing to purge where nothing is dead", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		f.say("shop", conv, "ann", "hi")
		more, err := f.Purge(f.Context(), f.now())
		f.must(err)
		equal(f, "more", more, false)
		equal(f, "messages", len(f.history("shop", conv)), 1)
	}},
	{"a purge takes the dead, bit by bit, and leaves the living", func(f *fixture) {
		f.app("shop", "ann", "bob")
		dead, living := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		f.sayMany("shop", dead, "ann", 3000)
		f.sayMany("shop", living, "ann", 20)
		_, err := f.DeleteConversation(f.Context(), "shop", dead, store.Authority{})
		f.must(err)
		more, err := f.Purge(f.Context(), f.now())
		f.must(err)
		equal(f, "more after the first", more, true)
		f.purge()
		more, err = f.Purge(f.Context(), f.now())
		f.must(err)
		equal(f, "more after the last", more, false)
		equal(f, "messages", len(f.history("shop", living)), 20)
		equal(f, "members", f.audience("shop", living), []string{"ann", "bob"})
		c := f.conv("shop", skein.Group)
		c.ID = dead
		f.create(c, "bob")
		equal(f, "messages of the next with this id", len(f.history("shop", dead)), 0)
		equal(f, "seq there", f.say("shop", dead, "bob", "hi").Seq, 1)
	}},
	{"a temporary conversation past its end is purged", func(f *fixture) {
		f.app("shop", "ann")
		short, long := f.conv("shop", skein.Temporary), f.conv("shop", skein.Temporary)
		short.TTL, long.TTL = time.Minute, time.Hour
		f.create(short, "ann")
		f.create(long, "ann")
		f.say("shop", short.ID, "ann", "hi")
		f.pass(time.Minute)
		f.purge()
		f.unknownToAll("shop", short.ID, "ann")
		f.create(skein.Conversation{App: "shop", ID: short.ID, Type: skein.Group, Created: f.now()}, "ann")
		equal(f, "messages", len(f.history("shop", short.ID)), 0)
		equal(f, "the one that goes on", f.lookup("shop", long.ID).TTL, time.Hour)
	}},
	{"an erasure takes what the client said and leaves its number", func(f *fixture) {
		f.app("shop", "ann", "bob")
		f.app("game", "ann")
		conv, theirs := f.group("shop", "ann", "bob"), f.group("game", "ann")
		d := f.draft("shop", conv, "ann", "secret")
		d.Attr, d.URL, d.MentionAll, d.Mentions, d.ClientMsgID = []byte(`1`), "u", true, []string{"bob"}, "x"
		said, _, err := f.Append(f.Context(), d)
		f.must(err)
		kept := f.say("shop", conv, "bob", "kept")
		f.sayMany("game", theirs, "ann", 3)
		_, _, err = f.DeleteClient(f.Context(), "shop", "ann", f.now(), true)
		f.must(err)
		f.pass(time.Second)
		f.erase()
		got, err := f.Message(f.Context(), "shop", conv, said.ID, "")
		f.must(err)
		want := said
		want.Status, want.Updated, want.Changed = skein.StatusDeleted, f.now(), 1
		want.Text, want.Attr, want.URL, want.MentionAll, want.Mentions = "", nil, "", false, nil
		equal(f, "erased", got, want)
		equal(f, "history", f.history("shop", conv), []skein.Message{want, kept})
		for _, m := range f.history("game", theirs) {
			equal(f, "status in the other app", m.Status, skein.StatusNormal)
		}
		_, more, err := f.EraseMessages(f.Context(), f.now())
		f.must(err)
		equal(f, "more", more, false)
	}},
	{"without erase all that was said stays", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		said := f.say("shop", conv, "ann", "kept")
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		f.erase()
		equal(f, "history", f.history("shop", conv), []skein.Message{said})
	}},
	{"an erasure of much goes bit by bit through all of it", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		one, two := f.group("shop", "ann", "bob"), f.group("shop", "ann", "cat")
		f.sayMany("shop", one, "ann", 1300)
		f.sayMany("shop", two, "cat", 300)
		f.sayMany("shop", two, "ann", 300)
		for _, id := range []string{"ann", "cat"} {
			_, _, err := f.DeleteClient(f.Context(), "shop", id, f.now(), true)
			f.must(err)
		}
		_, more, err := f.EraseMessages(f.Context(), f.now())
		f.must(err)
		equal(f, "more after the first", more, true)
		f.erase()
		for _, conv := range []skein.ID{one, two} {
			for _, m := range f.history("shop", conv) {
				if m.Text != "" || m.Status != skein.StatusDeleted {
					f.Fatalf("got %+v", m)
				}
			}
		}
	}},
	{"what a client says who was created anew is not erased", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv, gone := f.group("shop", "bob"), f.group("shop", "ann", "bob")
		f.say("shop", conv, "bob", "one")
		f.sayMany("shop", gone, "ann", 10)
		_, _, err := f.DeleteClient(f.Context(), "shop", "ann", f.now(), true)
		f.must(err)
		_, err = f.DeleteConversation(f.Context(), "shop", gone, store.Authority{})
		f.must(err)
		f.purge()
		f.clients("shop", "ann")
		d := f.draft("shop", conv, "ann", "new")
		d.Need = skein.NeedServer
		_, _, err = f.Append(f.Context(), d)
		f.must(err)
		f.erase()
		got, err := f.Message(f.Context(), "shop", conv, d.ID, "")
		f.must(err)
		equal(f, "text", got.Text, "new")
	}},
	{"a closed store is unavailable", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		f.must(f.Close())
		f.must(f.Close())
		f.wantErr(f.Ping(f.Context()), skein.ErrUnavailable)
		_, err := f.App(f.Context(), "shop")
		f.wantErr(err, skein.ErrUnavailable)
		_, _, err = f.Append(f.Context(), f.draft("shop", conv, "ann", "hi"))
		f.wantErr(err, skein.ErrUnavailable)
		_, err = f.Purge(f.Context(), f.now())
		f.wantErr(err, skein.ErrUnavailable)
	}},
}

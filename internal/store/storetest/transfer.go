package storetest

import (
	"errors"
	"reflect"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var transfers = []check{
	{"what is exported, deleted and imported is exported the same", func(f *fixture) {
		f.furnish("a")
		before := f.export("a", "")
		f.empty("a")
		told := len(f.told())
		for n, got := range f.bring("a", whole(before)) {
			if got.Err != nil || got.Have != nil {
				f.Fatalf("record %d: got %+v, want it to be new", n, got)
			}
		}
		equal(f, "what the hook was told", len(f.told()), told)
		f.sameRecords(f.export("a", ""), before)
		for n, got := range f.bring("a", whole(before)) {
			if _, end := whole(before)[n].(*store.End); got.Err != nil || got.Have == nil || !end && !reflect.DeepEqual(got.Have, whole(before)[n]) {
				f.Fatalf("record %d again: got %+v, %v, want that it is there", n, got.Have, got.Err)
			}
		}
		f.sameRecords(f.export("a", ""), before)
	}},
	{"what was imported goes on as if it had been here", func(f *fixture) {
		f.furnish("a")
		conv := f.find("a", "group")
		views, err := f.Views(f.Context(), "a", "Tom", skein.ViewQuery{Limit: 50})
		f.must(err)
		before := f.export("a", "")
		f.empty("a")
		f.clients("a", "Watcher")
		start, err := f.Sync(f.Context(), "a", "Jerry", skein.SyncCursor{}, 100)
		f.must(err)
		f.bring("a", whole(before))

		again, err := f.Views(f.Context(), "a", "Tom", skein.ViewQuery{Limit: 50})
		f.must(err)
		for _, page := range []skein.ViewPage{views, again} {
			for i := range page.Views {
				page.Views[i].RosterRev = 0 // of each store
			}
		}
		equal(f, "views", again.Views, views.Views)
		d := f.draft("a", conv, "Tom", "retried")
		d.ClientMsgID, d.Body = "r1", f.history("a", conv)[1].Body
		m, known, err := f.Append(f.Context(), d)
		f.must(err)
		equal(f, "a retry is known", known, true)
		d.Text = "another text"
		_, _, err = f.Append(f.Context(), d)
		f.wantErr(err, skein.ErrConflict)
		last := f.lookup("a", conv).LastSeq
		equal(f, "next seq", f.say("a", conv, "Jerry", "on we go").Seq, last+1)
		equal(f, "the retried one", m.Text, "retried")

		page, err := f.Sync(f.Context(), "a", "Jerry", start.Next, 100)
		f.must(err)
		if len(page.Views) == 0 {
			f.Fatal("sync shows nothing of what was imported")
		}
		pair := f.conv("a", skein.Private)
		got, created, err := f.CreateConversation(f.Context(), pair, f.joining("Tom", "Jerry"), store.MemberLimit{})
		f.must(err)
		equal(f, "a new pair", created, false)
		if got.ID == pair.ID {
			f.Fatal("the private conversation is another one")
		}
	}},
	{"an export shows one moment, whatever is written meanwhile", func(f *fixture) {
		f.app("a", "Tom")
		conv := f.group("a", "Tom")
		f.say("a", conv, "Tom", "before")
		late := &collect{}
		late.on = func(any) {
			late.on = nil
			f.say("a", conv, "Tom", "after")
			f.clients("a", "Late")
		}
		_, err := f.Export(f.Context(), "a", "", late)
		f.must(err)
		for _, r := range late.records {
			if m, ok := r.(*store.MessageRecord); ok && m.Text == "after" {
				f.Fatal("the export shows a message that came after its beginning")
			}
			if c, ok := r.(*store.ClientRecord); ok && c.ID == "Late" {
				f.Fatal("the export shows a client who came after its beginning")
			}
		}
		equal(f, "messages", late.messages, 1)
	}},
	{"an export shows nothing of what an erasure is about to take, nor of what is deleted", func(f *fixture) {
		f.app("a", "Tom", "Eve")
		conv := f.group("a", "Tom", "Eve")
		f.say("a", conv, "Eve", "secret")
		own := f.say("a", conv, "Tom", "hello")
		f.become("a", conv, own.ID, "Eve", "👍", skein.Change{Kind: skein.ChangeReact, On: true})
		gone := f.group("a", "Tom")
		f.say("a", gone, "Tom", "gone")
		_, err := f.DeleteConversation(f.Context(), "a", gone, store.Authority{})
		f.must(err)
		_, _, err = f.DeleteClient(f.Context(), "a", "Eve", f.now(), true)
		f.must(err)
		for _, r := range f.export("a", "") {
			if m, ok := r.(*store.MessageRecord); ok && (m.Text != "" && m.Text != "hello" || len(m.Reacted) > 0) {
				f.Fatalf("got %+v", m)
			}
		}
	}},
	{"an imported conversation is unknown until its end", func(f *fixture) {
		f.app("a", "Tom")
		c, m := f.arriving("a", "Tom")
		f.bring("a", []any{c, m, f.imported(c.ID, 1, "Tom", "one")})
		f.unknownToAll("a", c.ID, "Tom")
		page, err := f.Sync(f.Context(), "a", "Tom", skein.SyncCursor{}, 10)
		f.must(err)
		equal(f, "conversations before the end", len(page.Views), 0)
		f.bring("a", []any{f.imported(c.ID, 2, "Tom", "two"), &store.End{Conv: c.ID, LastSeq: 2}})
		equal(f, "last seq", f.lookup("a", c.ID).LastSeq, 2)
		equal(f, "members", f.lookup("a", c.ID).Members, 1)
		page, err = f.Sync(f.Context(), "a", "Tom", page.Next, 10)
		f.must(err)
		equal(f, "conversations after it", len(page.Views), 1)
	}},
	{"an import that ends short leaves nothing, one that nobody goes on with goes", func(f *fixture) {
		f.app("a", "Tom")
		short, m := f.arriving("a", "Tom")
		f.wantFault(f.bring("a", []any{short, m, f.imported(short.ID, 1, "Tom", "one"), &store.End{Conv: short.ID, LastSeq: 2}})[3].Err, skein.ErrMalformed, "last_seq")
		left, m := f.arriving("a", "Tom")
		f.bring("a", []any{left, m, f.imported(left.ID, 1, "Tom", "one")})
		f.purge()
		equal(f, "left is there", f.bring("a", []any{left})[0].Have != nil, true)
		equal(f, "short is not", f.bring("a", []any{short})[0].Have, nil)
		f.pass(9 * 24 * time.Hour)
		f.purge()
		equal(f, "left after a week", f.bring("a", []any{left})[0].Have, nil)
	}},
	{"a temporary conversation that has ended does not come", func(f *fixture) {
		f.app("a", "Tom")
		c, m := f.arriving("a", "Tom")
		c.Type, c.TTL = skein.Temporary, time.Hour
		f.pass(2 * time.Hour)
		f.wantFault(f.bring("a", []any{c, m, &store.End{Conv: c.ID}})[2].Err, skein.ErrMalformed, "ttl")
	}},
	{"messages come behind those of a known conversation", func(f *fixture) {
		f.app("a", "Tom")
		c, m := f.arriving("a", "Tom")
		f.bring("a", []any{c, m, f.imported(c.ID, 1, "Tom", "one"), &store.End{Conv: c.ID, LastSeq: 1}})
		_, err := f.Messages(f.Context(), "a", c.ID, skein.SeqRange{Limit: 10})
		f.must(err)
		f.bring("a", []any{c, f.imported(c.ID, 1, "Tom", "one"), f.imported(c.ID, 2, "Tom", "two"), &store.End{Conv: c.ID, LastSeq: 2}})
		equal(f, "messages", len(f.history("a", c.ID)), 2)
		equal(f, "next", f.say("a", c.ID, "Tom", "three").Seq, 3)
		got := f.bring("a", []any{c, f.imported(c.ID, 3, "Tom", "imported three")})
		if have, ok := got[1].Have.(*store.MessageRecord); !ok || have.Text != "three" {
			f.Fatalf("got %+v, want the message that is there", got[1])
		}
	}},
	{"records that cannot be are refused one by one", func(f *fixture) {
		f.app("a", "Tom", "Gone")
		f.app("b", "Tom")
		_, _, err := f.DeleteClient(f.Context(), "a", "Gone", f.now(), false)
		f.must(err)
		other := f.say("b", f.group("b", "Tom"), "Tom", "of another app")
		f.must(f.AddUpload(f.Context(), skein.Upload{App: "b", Name: "0123456789abcdef0123456789abcdef.txt", At: f.now(), Until: f.now() + 1, Size: 1}))
		c, m := f.arriving("a", "Tom")
		ghost := *m
		ghost.Client = "Ghost"
		gone := *m
		gone.Client = "Gone"
		stolen := f.imported(c.ID, 1, "Tom", "x")
		stolen.ID = other.ID
		far := f.imported(c.ID, 7, "Tom", "x")
		nobody := f.imported(c.ID, 1, "Nobody", "x")
		nowhere := f.imported(f.newID(), 1, "Tom", "x")
		deleted := f.imported(c.ID, 1, "Gone", "said before it was deleted")
		got := f.bring("a", []any{
			c, m, &ghost, &gone, stolen, far, nobody, nowhere, deleted,
			&store.ChangeRecord{Conv: c.ID, Seq: 2, Kind: skein.ChangePin, Message: 1, At: 1},
			&store.ChangeRecord{Conv: c.ID, Seq: 1, Kind: skein.ChangePin, Message: 9, At: 1},
			&store.UploadRecord{Upload: skein.Upload{Name: "0123456789abcdef0123456789abcdef.txt", At: 1, Size: 1}},
		})
		for n, want := range []error{
			nil, nil, skein.ErrUnknownClient, skein.ErrUnknownClient, skein.ErrConflict, skein.ErrMalformed, skein.ErrUnknownClient,
			skein.ErrUnknownConversation, nil, skein.ErrMalformed, skein.ErrUnknownMessage, skein.ErrConflict,
		} {
			if !errors.Is(got[n].Err, want) {
				f.Errorf("record %d: got %v, want %v", n, got[n].Err, want)
			}
		}
		_, err = f.Import(f.Context(), "nobody", []any{c})
		f.wantErr(err, skein.ErrUnknownApp)
		_, err = f.Export(f.Context(), "nobody", "", &collect{})
		f.wantErr(err, skein.ErrUnknownApp)
		_, err = f.Export(f.Context(), "a", "Nobody", &collect{})
		f.wantErr(err, skein.ErrUnknownClient)
	}},
	{"fields that only others know go with what they are about", func(f *fixture) {
		f.app("a", "Tom")
		c, m := f.arriving("a", "Tom")
		one, two := f.imported(c.ID, 1, "Tom", "one"), f.imported(c.ID, 2, "Tom", "two")
		for _, u := range []*[]byte{&c.Unknown, &m.Unknown, &one.Unknown, &two.Unknown} {
			*u = []byte(`{"x":1}`)
		}
		f.bring("a", []any{c, m, one, two, &store.End{Conv: c.ID, LastSeq: 2}})
		_, err := f.ChangeMessage(f.Context(), "a", c.ID, one.ID, store.Needs("Tom", skein.NeedClient), "", func(skein.MessageState) (skein.Change, error) {
			return skein.Change{Kind: skein.ChangeRecall, At: f.now()}, nil
		})
		f.must(err)
		_, err = f.RemoveMembers(f.Context(), "a", c.ID, store.Authority{}, []string{"Tom"}, f.now(), 0)
		f.must(err)
		kept := 0
		for _, r := range f.export("a", "") {
			if v := reflect.ValueOf(r).Elem().FieldByName("Unknown"); v.Len() > 0 {
				kept++
			}
		}
		equal(f, "records with unknown fields", kept, 2) // the conversation and the second message
	}},
	{"the export of a client holds what is its own and what it may see", func(f *fixture) {
		f.app("a", "Tom", "Jerry", "Eve")
		both := f.group("a", "Tom", "Jerry")
		f.say("a", both, "Jerry", "to Tom")
		f.say("a", both, "Tom", "to Jerry")
		hidden := f.say("a", both, "Jerry", "hidden from Tom")
		f.become("a", both, hidden.ID, "Tom", "", skein.Change{Kind: skein.ChangeHide})
		left := f.group("a", "Tom", "Jerry")
		f.say("a", left, "Tom", "said before leaving")
		f.say("a", left, "Jerry", "not his any more")
		_, err := f.RemoveMembers(f.Context(), "a", left, store.Authority{}, []string{"Tom"}, f.now(), 0)
		f.must(err)
		others := f.group("a", "Eve", "Jerry")
		f.say("a", others, "Eve", "none of his business")
		var texts, people []string
		for _, r := range f.export("a", "Tom") {
			switch r := r.(type) {
			case *store.MessageRecord:
				texts = append(texts, r.Text)
			case *store.ClientRecord:
				people = append(people, r.ID)
			case *store.MemberRecord:
				people = append(people, r.Client)
			}
		}
		equal(f, "texts", texts, []string{"to Tom", "to Jerry", "said before leaving"})
		equal(f, "clients and members", people, []string{"Tom", "Tom"})
	}},
}

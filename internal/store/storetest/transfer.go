package storetest

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
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

// empty makes an app anew.
func (f *fixture) empty(app string) {
	f.Helper()
	f.must(f.DeleteApp(f.Context(), app))
	f.purge()
	released, err := f.ReleasedUploads(f.Context(), "", 100)
	f.must(err)
	f.must(f.ForgetUploads(f.Context(), released))
	f.app(app)
}

// collect is a sink that keeps all.
type collect struct {
	app      store.AppRecord
	messages int
	records  []any
	on       func(any)
}

// Begin keeps the app.
func (c *collect) Begin(app store.AppRecord, messages int64) error {
	c.app, c.messages = app, int(messages)
	return nil
}

// Record keeps the record.
func (c *collect) Record(r any) error {
	if c.on != nil {
		c.on(r)
	}
	c.records = append(c.records, r)
	return nil
}

func (f *fixture) export(app, client string) []any {
	f.Helper()
	var all collect
	at, err := f.Export(f.Context(), app, client, &all)
	f.must(err)
	equal(f, "moment", at, f.now())
	return all.records
}

// bring imports records, some in each call.
func (f *fixture) bring(app string, records []any) (answers []store.Imported) {
	f.Helper()
	for some := range slices.Chunk(records, 7) {
		got, err := f.Import(f.Context(), app, some)
		f.must(err)
		equal(f, "answers", len(got), len(some))
		answers = append(answers, got...)
	}
	return answers
}

// whole is what an export showed as what an import takes: files first, and each
// conversation with its end.
func whole(exported []any) (records []any) {
	for _, r := range exported {
		if u, ok := r.(*store.UploadRecord); ok {
			records = append(records, u)
		}
	}
	var open *store.ConversationRecord
	end := func() {
		if open != nil {
			records = append(records, &store.End{Conv: open.ID, LastSeq: open.LastSeq, Changes: open.Changes})
		}
		open = nil
	}
	for _, r := range exported {
		switch r := r.(type) {
		case *store.UploadRecord:
			continue
		case *store.ConversationRecord:
			end()
			open = r
		}
		records = append(records, r)
	}
	end()
	return records
}

func (f *fixture) sameRecords(got, want []any) {
	f.Helper()
	for n := range min(len(got), len(want)) {
		if !reflect.DeepEqual(got[n], want[n]) {
			f.Fatalf("record %d:\ngot  %+v\nwant %+v", n, got[n], want[n])
		}
	}
	equal(f, "records", len(got), len(want))
}

// arriving is a group to import, with its only member.
func (f *fixture) arriving(app, client string) (*store.ConversationRecord, *store.MemberRecord) {
	c := f.conv(app, skein.Group)
	c.Creator = client
	return &store.ConversationRecord{Conversation: c}, &store.MemberRecord{Conv: c.ID, Member: skein.Member{Client: client, Joined: f.now(), JoinSeq: 1}}
}

// imported is a text to import.
func (f *fixture) imported(conv skein.ID, seq int64, sender, text string) *store.MessageRecord {
	return &store.MessageRecord{Message: skein.Message{
		ID: f.newID(), Conv: conv, Seq: seq, Sender: sender, Created: f.now(), Status: skein.StatusNormal, Version: 1,
		Body: skein.Body{Type: skein.TypeText, Text: text},
	}}
}

// become changes a message without a rule.
func (f *fixture) become(app string, conv, id skein.ID, by, emoji string, c skein.Change) {
	f.Helper()
	c.At = f.now()
	_, err := f.ChangeMessage(f.Context(), app, conv, id, store.Needs(by, skein.NeedClient), emoji, func(skein.MessageState) (skein.Change, error) { return c, nil })
	f.must(err)
}

// find is the conversation whose extend is a text.
func (f *fixture) find(app, extend string) skein.ID {
	f.Helper()
	for _, r := range f.export(app, "") {
		if c, ok := r.(*store.ConversationRecord); ok && string(c.Extend) == `"`+extend+`"` {
			return c.ID
		}
	}
	f.Fatalf("no conversation %s", extend)
	return skein.ID{}
}

// furnish makes an app with something of every kind.
func (f *fixture) furnish(app string) {
	f.Helper()
	f.app(app, "Tom", "Jerry", "Eve", "Iron", "Mallory")
	const file = "0123456789abcdef0123456789abcdef"
	f.must(f.AddUpload(f.Context(), skein.Upload{App: app, Name: file + ".txt", Client: "Tom", At: f.now(), Until: f.now() + 1000, Size: 7, Title: "notes.txt"}))
	_, err := f.UpdateClient(f.Context(), app, "Mallory", func(c *skein.Client) error {
		c.Ext, c.Updated, c.BannedUntil, c.BanReason, c.Cut = []byte(`{"b": 1e2,"a":"é"}`), f.now(), skein.Forever, "spam", f.now()
		c.DeviceCuts = map[string]skein.Millis{"phone": f.now()}
		return nil
	})
	f.must(err)
	f.must(f.MarkSeen(f.Context(), []skein.Sighting{{App: app, Client: "Tom", At: f.now()}}))

	f.pass(time.Second)
	group := f.conv(app, skein.Group)
	group.Creator, group.Extend, group.MuteAll = "Tom", []byte(`"group"`), false
	group = f.create(group, "Tom", "Jerry", "Eve", "Iron")
	for _, role := range []struct {
		client string
		role   skein.Role
	}{{"Tom", skein.RoleOwner}, {"Jerry", skein.RoleAdmin}} {
		_, _, err = f.UpdateMember(f.Context(), app, group.ID, store.Authority{}, role.client, f.now(), func(_ skein.Conversation, m *skein.Member) error {
			m.Role, m.Nickname = role.role, "称呼"
			m.Marks = skein.Marks{Pinned: f.now(), Muted: true, Archived: role.role == skein.RoleAdmin, Unread: role.role == skein.RoleOwner, Draft: "draft 🌊"}
			return nil
		})
		f.must(err)
	}
	f.say(app, group.ID, "Tom", "hello 你好 👋")
	second := f.draft(app, group.ID, "Tom", "retried")
	second.ClientMsgID, second.Mentions, second.Attr, second.URL = "r1", []string{"Jerry", "Eve"}, []byte(`{"x": [1, 9007199254740993]}`), "https://x/storage/uploads/"+file+".txt"
	_, _, err = f.Append(f.Context(), second)
	f.must(err)
	third := f.draft(app, group.ID, "Jerry", "to be edited")
	third.ClientMsgID, third.ReplyTo, third.MentionAll, third.NoSync = "r2", second.ID, true, true
	_, _, err = f.Append(f.Context(), third)
	f.must(err)
	f.become(app, group.ID, third.ID, "Jerry", "", skein.Change{Kind: skein.ChangeEdit, Message: skein.Message{Body: skein.Body{Text: "edited"}}})
	recalled := f.say(app, group.ID, "Jerry", "to be recalled")
	f.become(app, group.ID, recalled.ID, "Jerry", "", skein.Change{Kind: skein.ChangeRecall})
	for _, by := range []string{"Jerry", "Tom", "Eve"} {
		f.become(app, group.ID, second.ID, by, "👍", skein.Change{Kind: skein.ChangeReact, On: true})
	}
	f.become(app, group.ID, second.ID, "Tom", "thumbs_up", skein.Change{Kind: skein.ChangeReact, On: true})
	f.become(app, group.ID, second.ID, "Jerry", "👍", skein.Change{Kind: skein.ChangeReact})
	f.become(app, group.ID, second.ID, "Tom", "", skein.Change{Kind: skein.ChangePin, On: true})
	f.become(app, group.ID, third.ID, "Eve", "", skein.Change{Kind: skein.ChangeHide})
	server := f.draft(app, group.ID, "Iron", "from the backend")
	server.Need = skein.NeedServer
	_, _, err = f.Append(f.Context(), server)
	f.must(err)
	_, _, err = f.UpdateMember(f.Context(), app, group.ID, store.Authority{}, "Jerry", f.now(), func(_ skein.Conversation, m *skein.Member) error {
		m.ReadSeq, m.ReceivedSeq, m.ClearedSeq = 3, 4, 1
		return nil
	})
	f.must(err)

	f.pass(time.Second)
	private := f.create(f.conv(app, skein.Private), "Tom", "Jerry")
	f.say(app, private.ID, "Jerry", "just us")
	temporary := f.conv(app, skein.Temporary)
	temporary.TTL = 24 * time.Hour
	f.say(app, f.create(temporary, "Tom", "Jerry").ID, "Tom", "not for long")
	room := f.create(f.conv(app, skein.Room), "Tom", "Eve")
	_, err = f.RemoveMembers(f.Context(), app, room.ID, store.Authority{}, []string{"Eve"}, f.now(), skein.Forever)
	f.must(err)
	f.create(f.conv(app, skein.Group)) // nobody is in it

	f.say(app, group.ID, "Iron", "said before he went")
	_, _, err = f.DeleteClient(f.Context(), app, "Iron", f.now(), false)
	f.must(err)
	f.clients(app, "Iron")
	f.say(app, group.ID, "Eve", "erased")
	_, _, err = f.DeleteClient(f.Context(), app, "Eve", f.now(), true)
	f.must(err)
	f.erase()

	records := f.export(app, "")
	for _, r := range records {
		if m, ok := r.(*store.MessageRecord); ok && m.Text == "said before he went" && !m.Former {
			f.Fatal("a former holder's message is not marked")
		}
		if m, ok := r.(*store.MessageRecord); ok && m.Text == "edited" && bytes.Equal(m.Hash, nil) {
			f.Fatal("an edited message has lost the hash of what was sent")
		}
	}
}

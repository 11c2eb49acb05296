package storetest

import (
	"bytes"
	"reflect"
	"slices"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

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

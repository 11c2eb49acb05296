package storetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var retries = []check{
	{"a retry is answered the first message and told to nobody", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.say("shop", conv, "bob", "before")
		d := f.draft("shop", conv, "ann", "hi")
		d.ClientMsgID, d.Mentions, d.Attr = "x", []string{"bob"}, []byte(`1`)
		first, _, err := f.Append(f.Context(), d)
		f.must(err)
		f.pass(time.Hour)
		retry := d
		retry.ID, retry.Created, retry.Device, retry.NoSync = f.newID(), f.now(), "tablet", true
		got, again, err := f.Append(f.Context(), retry)
		f.must(err)
		equal(f, "again", again, true)
		equal(f, "answer", got, first)
		equal(f, "stored", len(f.history("shop", conv)), 2)
		equal(f, "told", len(f.told()), 2)
		equal(f, "next", f.say("shop", conv, "ann", "more").Seq, 3)
	}},
	{"a retry says what the sender wrote, not what was stored of it", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		d := f.draft("shop", conv, "ann", "a bad word")
		d.ClientMsgID = "x"
		written := d.Body
		masked := d
		masked.Written, masked.Text = &written, "a *** word"
		first, _, err := f.Append(f.Context(), masked)
		f.must(err)
		equal(f, "stored", first.Text, "a *** word")
		for _, retry := range []skein.Draft{d, masked} {
			retry.ID = f.newID()
			got, again, err := f.Append(f.Context(), retry)
			f.must(err)
			equal(f, "again", again, true)
			equal(f, "answer", got, first)
		}
		other := d
		other.ID, other.Text = f.newID(), "another word"
		_, _, err = f.Append(f.Context(), other)
		f.wantErr(err, skein.ErrConflict)
	}},
	{"a refused draft is answered its first message, and stores nothing", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		d := f.draft("shop", conv, "ann", "hi")
		d.ClientMsgID = "x"
		refused := d
		refused.OnlyAgain = true
		_, _, err := f.Append(f.Context(), refused)
		f.wantErr(err, skein.ErrUnknownMessage)
		equal(f, "stored", len(f.history("shop", conv)), 0)
		first, again, err := f.Append(f.Context(), d)
		f.must(err)
		equal(f, "again", again, false)
		refused.ID = f.newID()
		got, again, err := f.Append(f.Context(), refused)
		f.must(err)
		equal(f, "again", again, true)
		equal(f, "answer", got, first)
		refused.Text = "other"
		_, _, err = f.Append(f.Context(), refused)
		f.wantErr(err, skein.ErrConflict)
		refused.ClientMsgID = "y"
		_, _, err = f.Append(f.Context(), refused)
		f.wantErr(err, skein.ErrUnknownMessage)
		equal(f, "next", f.say("shop", conv, "ann", "more").Seq, 2)
	}},
	{"a retry is answered though the clock is put back to before its sender came", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		f.pass(-time.Hour)
		d := f.draft("shop", conv, "ann", "hi")
		d.ClientMsgID = "x"
		first, _, err := f.Append(f.Context(), d)
		f.must(err)
		d.ID = f.newID()
		got, again, err := f.Append(f.Context(), d)
		f.must(err)
		equal(f, "again", again, true)
		equal(f, "answer", got, first)
	}},
	{"retries at once are one message", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		var mu sync.Mutex
		ids, fresh := map[skein.ID]int{}, 0
		f.together(100, func(i int) error {
			d := f.draft("shop", conv, "ann", fmt.Sprint(i%5))
			d.ClientMsgID = fmt.Sprint("try", i%5)
			m, again, err := f.Append(f.Context(), d)
			mu.Lock()
			defer mu.Unlock()
			ids[m.ID]++
			if !again {
				fresh++
			}
			return err
		})
		equal(f, "messages", len(ids), 5)
		equal(f, "fresh", fresh, 5)
		equal(f, "stored", len(f.history("shop", conv)), 5)
		equal(f, "told", len(f.told()), 5)
	}},
	{"a client_msg_id used again with another body is a conflict", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		earlier := f.say("shop", conv, "ann", "earlier")
		d := f.draft("shop", conv, "ann", "hi")
		d.ClientMsgID, d.Attr, d.URL = "x", []byte(`1`), "u"
		_, _, err := f.Append(f.Context(), d)
		f.must(err)
		for name, change := range map[string]func(*skein.Body){
			"text":                                 func(b *skein.Body) { b.Text = "ho" },
			"type":                                 func(b *skein.Body) { b.Type = 7 },
			"attr":                                 func(b *skein.Body) { b.Attr = []byte(`2`) },
			"url":                                  func(b *skein.Body) { b.URL = "v" },
			"what goes from one field to the next": func(b *skein.Body) { b.Text, b.Attr = "hi1", nil },
			"mention all":                          func(b *skein.Body) { b.MentionAll = true },
			"mentions":                             func(b *skein.Body) { b.Mentions = []string{"bob"} },
			"reply":                                func(b *skein.Body) { b.ReplyTo = earlier.ID },
		} {
			other := d
			other.ID = f.newID()
			change(&other.Body)
			_, _, err := f.Append(f.Context(), other)
			if f.wantErr(err, skein.ErrConflict); len(f.history("shop", conv)) != 2 {
				f.Fatalf("%s: stored all the same", name)
			}
		}
	}},
	{"a client_msg_id used again with the same content written in another way is a retry", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		conv := f.group("shop", "ann", "bob", "cat")
		d := f.draft("shop", conv, "ann", "hi")
		d.ClientMsgID, d.Attr, d.Mentions = "x", []byte(`{"a":100,"b":["你",1.0]}`), []string{"cat", "bob"}
		first, _, err := f.Append(f.Context(), d)
		f.must(err)
		same := func(when string) {
			f.Helper()
			for name, change := range map[string]func(*skein.Body){
				"as it was":                     func(*skein.Body) {},
				"keys in another order":         func(b *skein.Body) { b.Attr = []byte(`{"b":["你",1.0],"a":100}`) },
				"escapes, numbers, white space": func(b *skein.Body) { b.Attr = []byte(`{ "a" : 1e2, "b" : ["\u4f60", 1] }`) },
				"mentions in another order":     func(b *skein.Body) { b.Mentions = []string{"bob", "cat"} },
			} {
				again := d
				again.ID = f.newID()
				change(&again.Body)
				m, known, err := f.Append(f.Context(), again)
				f.must(err)
				equal(f, when+", "+name+": known", known, true)
				equal(f, when+", "+name+": seq", m.Seq, first.Seq)
			}
		}
		same("as sent")
		f.change("shop", first, "ann", edit("ho"))
		same("edited since")
		for name, attr := range map[string]string{"a number": `{"a":101,"b":["你",1.0]}`, "a list's order": `{"a":100,"b":[1.0,"你"]}`, "a text": `{"a":100,"b":["您",1.0]}`} {
			other := d
			other.ID, other.Attr = f.newID(), []byte(attr)
			_, _, err := f.Append(f.Context(), other)
			if f.wantErr(err, skein.ErrConflict); len(f.history("shop", conv)) != 1 {
				f.Fatalf("%s: stored all the same", name)
			}
		}
	}},
	{"a client_msg_id belongs to one sender in one conversation", func(f *fixture) {
		f.app("shop", "ann", "bob")
		one, two := f.group("shop", "ann", "bob"), f.group("shop", "ann", "bob")
		for _, where := range []skein.ID{one, two} {
			for _, who := range []string{"ann", "bob"} {
				d := f.draft("shop", where, who, "hi "+who)
				d.ClientMsgID = "x"
				_, again, err := f.Append(f.Context(), d)
				f.must(err)
				equal(f, "again", again, false)
			}
		}
	}},
	{"a retry is answered whatever has become of its sender", func(f *fixture) {
		for name, befall := range map[string]func(conv skein.ID) error{
			"banned": func(skein.ID) error {
				_, err := f.UpdateClient(f.Context(), "banned", "ann", func(c *skein.Client) error { c.BannedUntil = skein.Forever; return nil })
				return err
			},
			"removed": func(conv skein.ID) error {
				_, err := f.RemoveMembers(f.Context(), "removed", conv, store.Authority{}, []string{"ann"}, f.now(), 0)
				return err
			},
			"deleted": func(skein.ID) error {
				_, _, err := f.DeleteClient(f.Context(), "deleted", "ann", f.now(), false)
				return err
			},
		} {
			f.app(name, "ann", "bob")
			conv := f.group(name, "ann", "bob")
			d := f.draft(name, conv, "ann", "hi")
			d.ClientMsgID = "x"
			first, _, err := f.Append(f.Context(), d)
			f.must(err)
			f.must(befall(conv))
			d.ID = f.newID()
			got, again, err := f.Append(f.Context(), d)
			f.must(err)
			equal(f, name, again, true)
			equal(f, name, got, first)
			d.Text = "ho"
			_, _, err = f.Append(f.Context(), d)
			f.wantErr(err, skein.ErrConflict)
			d.ClientMsgID = "y"
			if _, _, err = f.Append(f.Context(), d); err == nil {
				f.Fatalf("%s: a new message was stored", name)
			}
		}
	}},
	{"a new holder of an id is told nothing of what the former sent", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		d := f.draft("shop", conv, "ann", "hi")
		d.ClientMsgID = "x"
		_, _, err := f.Append(f.Context(), d)
		f.must(err)
		_, _, err = f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
		f.must(err)
		f.clients("shop", "ann")
		d.ID = f.newID()
		_, _, err = f.Append(f.Context(), d)
		f.wantErr(err, skein.ErrForbidden)
	}},
	{"a new holder of an id uses the former's client_msg_id for a message of its own", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		send := func(text string) (skein.Message, bool, error) {
			d := f.draft("shop", conv, "ann", text)
			d.ClientMsgID = "x"
			return f.Append(f.Context(), d)
		}
		former, _, err := send("hi")
		f.must(err)
		for i, text := range []string{"hi", "ho"} { // each new holder is another one
			_, _, err = f.DeleteClient(f.Context(), "shop", "ann", f.now(), false)
			f.must(err)
			f.clients("shop", "ann")
			_, err = f.AddMembers(f.Context(), "shop", conv, store.Authority{}, []string{"ann"}, f.now(), store.MemberLimit{})
			f.must(err)
			first, again, err := send(text)
			f.must(err)
			equal(f, "again", again, false)
			equal(f, "seq", first.Seq, former.Seq+1+int64(i))
			retried, again, err := send(text)
			f.must(err)
			equal(f, "again", again, true)
			equal(f, "the first", retried, first)
			_, _, err = send("something else")
			f.wantErr(err, skein.ErrConflict)
		}
		equal(f, "stored", len(f.history("shop", conv)), 3)
	}},
	{"a retry is known for seven days, whatever is purged meanwhile", func(f *fixture) {
		f.app("shop", "ann")
		conv := f.group("shop", "ann")
		send := func(day int) (skein.Message, bool) {
			f.Helper()
			d := f.draft("shop", conv, "ann", fmt.Sprint("day ", day))
			d.ClientMsgID = fmt.Sprint("day ", day)
			m, again, err := f.Append(f.Context(), d)
			f.must(err)
			return m, again
		}
		var firsts []skein.Message
		for day := range 30 {
			f.purge()
			for earlier := max(0, day-6); earlier < day; earlier++ {
				m, again := send(earlier)
				equal(f, fmt.Sprintf("day %d, of day %d: again", day, earlier), again, true)
				equal(f, fmt.Sprintf("day %d, of day %d: seq", day, earlier), m.Seq, firsts[earlier].Seq)
			}
			first, again := send(day)
			equal(f, "again", again, false)
			firsts = append(firsts, first)
			f.pass(24*time.Hour + time.Minute)
		}
		f.pass(store.RetryTime - 24*time.Hour - 2*time.Minute)
		f.purge()
		_, again := send(29)
		equal(f, "at the end of the seventh day: again", again, true)
	}},
	{"a message that is refused may come again with its client_msg_id", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		_, err := f.UpdateClient(f.Context(), "shop", "ann", func(c *skein.Client) error { c.BannedUntil = skein.Forever; return nil })
		f.must(err)
		d := f.draft("shop", conv, "ann", "hi")
		d.ClientMsgID = "x"
		for range 2 {
			_, _, err = f.Append(f.Context(), d)
			f.wantErr(err, skein.ErrBanned)
		}
		_, err = f.UpdateClient(f.Context(), "shop", "ann", func(c *skein.Client) error { c.BannedUntil = 0; return nil })
		f.must(err)
		_, again, err := f.Append(f.Context(), d)
		f.must(err)
		equal(f, "again", again, false)
		d.ID = f.newID()
		_, again, err = f.Append(f.Context(), d)
		f.must(err)
		equal(f, "the retry: again", again, true)
	}},
}

package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
)

func TestMessagesThatShareARetryNumberAreToldApart(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	one, two := sharedTag(t, s.db.Salt, "ann")
	say := func(clientMsgID, text string) (skein.Message, bool, error) {
		d := newDraft(conv, text)
		d.ClientMsgID = clientMsgID
		return s.Append(t.Context(), d)
	}
	for i, id := range []string{one, two} {
		if m, again, err := say(id, id); err != nil || again || m.Seq != int64(i+1) {
			t.Fatalf("%s: got seq %d, again %v, error %v", id, m.Seq, again, err)
		}
	}
	for i, id := range []string{one, two} {
		if m, again, err := say(id, id); err != nil || !again || m.Seq != int64(i+1) || m.Text != id {
			t.Errorf("%s again: got seq %d, %q, again %v, error %v", id, m.Seq, m.Text, again, err)
		}
		if _, _, err := say(id, "other"); !errors.Is(err, skein.ErrConflict) {
			t.Errorf("%s with another text: got error %v, want %v", id, err, skein.ErrConflict)
		}
	}
	wantDense(t, s, conv, 2)
}

func TestAnImportedMessageIsFoundAlthoughAnOlderOneHasItsRetryNumber(t *testing.T) {
	now := time.UnixMilli(1_600_000_000_000)
	s := newStore(t, Options{Now: func() time.Time { return now }})
	conv := newGroup(t, s)
	older, imported := sharedTag(t, s.db.Salt, "ann")
	send := func(id string) (again bool) {
		t.Helper()
		d := newDraft(conv, "hi")
		d.ClientMsgID = id
		_, again, err := s.Append(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	send(older)
	now = now.Add(store.RetryTime)
	if _, err := s.Purge(t.Context(), skein.MillisOf(now)); err != nil {
		t.Fatal(err)
	}
	send(imported)
	mustChange(t, s, func(g group) error { // as if the import had stored it
		var key, message int64
		_, err := g.Row(func(r *sqlite3.Stmt) { key, message = r.ColumnInt64(0), r.ColumnInt64(1) },
			`SELECT conv_key, message_key FROM messages WHERE client_msg_id = ?1`, imported)
		if err == nil {
			err = g.Exec(`DELETE FROM retries_1`)
		}
		if err == nil {
			err = g.RememberRetry(key, rows.RetryTag(s.db.Salt, "ann", imported), message)
		}
		return err
	}, nil)
	for _, id := range []string{older, imported} {
		if !send(id) {
			t.Errorf("the retry of %s was stored as a new message, want the first one", id)
		}
	}
}

func TestRetriesAreForgottenWithAge(t *testing.T) {
	now := time.UnixMilli(1_600_000_000_000)
	s := newStore(t, Options{Now: func() time.Time { return now }})
	conv := newGroup(t, s)
	send := func(clientMsgID string) (again bool) {
		t.Helper()
		d := newDraft(conv, "hi")
		d.ClientMsgID = clientMsgID
		_, again, err := s.Append(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	for day := range 40 {
		for more := true; more; {
			var err error
			if more, err = s.Purge(t.Context(), skein.MillisOf(now)); err != nil {
				t.Fatal(err)
			}
		}
		send(fmt.Sprint("day ", day))
		now = now.AddDate(0, 0, 1)
	}
	if got := countRows(t, s, knownRetries); got > 3*7 {
		t.Errorf("after a message a day for 40 days %d are known by their client_msg_id, want those of the last weeks", got)
	}
	if send("day 1") {
		t.Error("a message of 39 days ago answers a retry, want that it is forgotten")
	}
}

// knownRetries counts the messages that the store finds by client_msg_id.
const knownRetries = `SELECT (SELECT count(*) FROM retries_0) + (SELECT count(*) FROM retries_1) + (SELECT count(*) FROM retries_2)`

func TestARefusedMessageLeavesNoTrace(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	for range 3 {
		d := newDraft(conv, "hi")
		d.Sender, d.ClientMsgID = "nobody", "x"
		if _, _, err := s.Append(t.Context(), d); err == nil {
			t.Fatal("a message of somebody unknown was stored")
		}
	}
	if got := countRows(t, s, knownRetries); got != 0 {
		t.Errorf("%d refused messages are known by their client_msg_id, want none", got)
	}
}

func TestTheSaltIsTheStoresOwnAndStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skein.db")
	s, other := newStore(t, Options{Path: path}), newStore(t, Options{})
	if len(s.db.Salt) != 16 || bytes.Equal(s.db.Salt, other.db.Salt) {
		t.Errorf("salts %x and %x", s.db.Salt, other.db.Salt)
	}
	if again := openStore(t, Options{Path: path}); !bytes.Equal(again.Secret(), s.Secret()) {
		t.Errorf("salt %x, when it is opened again %x", s.db.Salt, again.Secret())
	}
}

// An earlier version stored the hash of the content as it was written. Retries of such messages
// must be recognised too.
func TestARetryFindsWhatAnEarlierVersionStored(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	first := newDraft(conv, "hi")
	first.ClientMsgID, first.Attr, first.Mentions = "x", []byte(`{"a":1,"b":2}`), []string{"tom", "ann"}
	stored, _, err := s.Append(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	age := func(version int) {
		t.Helper()
		mustChange(t, s, func(g group) error {
			return g.Exec(`UPDATE messages SET content_hash = ?1, version = ?2`, rows.ContentHash(first.Body), version)
		}, nil)
	}
	for name, tt := range map[string]struct {
		attr    string
		version int
		again   bool
	}{
		"as it was written":            {`{"a":1,"b":2}`, 1, true},
		"written in another way":       {`{"b":2.0,"a":1}`, 1, true},
		"with another content":         {`{"a":1,"b":3}`, 1, false},
		"edited, as it was written":    {`{"a":1,"b":2}`, 2, true},
		"edited, with another content": {`{"a":1,"b":3}`, 2, false},
	} {
		age(tt.version)
		d := first
		d.ID, d.Attr = newDraft(conv, "").ID, []byte(tt.attr)
		m, again, err := s.Append(t.Context(), d)
		if again != tt.again || tt.again && m.ID != stored.ID || !tt.again && !errors.Is(err, skein.ErrConflict) {
			t.Errorf("%s: %s: got seq %d, again %v, %v; want again %v", name, tt.attr, m.Seq, again, err, tt.again)
		}
	}
}

func TestHashesOfContentStayAsTheyAre(t *testing.T) {
	for name, tt := range map[string]struct {
		body skein.Body
		want string
	}{
		"a text":       {skein.Body{Type: skein.TypeText, Text: "hi"}, "f06f1c82df2dc369c7afd6c548ac4add"},
		"all there is": {skein.Body{Type: 7, Text: "hi", URL: "u", Attr: []byte(`{"b":[1.50,"你"],"a":100}`), Mentions: []string{"tom", "ann"}, MentionAll: true, ReplyTo: skein.ID{1}}, "5fd486b129f34e28ff0151b8aab88496"},
	} {
		if got := fmt.Sprintf("%x", rows.ContentHash(rows.Canonical(tt.body))); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

// sharedTag finds two ids of a sender that have the same tag.
func sharedTag(t *testing.T, salt []byte, sender string) (one, two string) {
	t.Helper()
	seen := map[uint32]string{}
	for i := range 1 << 20 {
		id := fmt.Sprint(i)
		tag := rows.RetryTag(salt, sender, id)
		if other, found := seen[tag]; found {
			return other, id
		}
		seen[tag] = id
	}
	t.Fatal("no two ids of a million share a tag")
	return "", ""
}

// Later versions must find what is on the disk.
func TestRetryTagsStayAsTheyAre(t *testing.T) {
	for _, tt := range []struct {
		sender, id string
		want       uint32
	}{
		{"ann", "1", 0xfcb6c375},
		{"ann1", "", 0x07a48b43},
		{"an", "n1", 0xb91e1964},
		{"Tom", "日本", 0xa14045c9},
	} {
		if got := rows.RetryTag([]byte("salt"), tt.sender, tt.id); got != tt.want {
			t.Errorf("%q %q: got %#x, want %#x", tt.sender, tt.id, got, tt.want)
		}
	}
}

// Comparing content costs nothing for a message without attr and mentions.
func BenchmarkContentHash(b *testing.B) {
	plain := skein.Body{Type: skein.TypeText, Text: "hello, is anybody there?"}
	rich := plain
	rich.Attr, rich.Mentions = []byte(`{"kind":"order","id":4711,"items":[{"sku":"a","n":2},{"sku":"b","n":1}]}`), []string{"tom", "ann"}
	for name, body := range map[string]skein.Body{"plain": plain, "with attr and mentions": rich} {
		b.Run(name+", as written", func(b *testing.B) {
			for b.Loop() {
				rows.ContentHash(body)
			}
		})
		b.Run(name+", canonical", func(b *testing.B) {
			for b.Loop() {
				rows.ContentHash(rows.Canonical(body))
			}
		})
	}
}

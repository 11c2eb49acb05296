package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// changeIt changes a message without a check.
func changeIt(t testing.TB, s *Store, m skein.Message, by string, c skein.Change) {
	t.Helper()
	c.At = 3
	_, err := s.ChangeMessage(context.Background(), "app", m.Conv, m.ID, store.Needs(by, skein.NeedClient), c.Emoji, func(skein.MessageState) (skein.Change, error) { return c, nil })
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsTakenBackIsInNoColumnOfAnyTable(t *testing.T) {
	const secret = "5ecret" // in every text
	for name, takeBack := range map[string]func(*Store, skein.Message){
		"recalled": func(s *Store, m skein.Message) { changeIt(t, s, m, "ann", skein.Change{Kind: skein.ChangeRecall}) },
		"erased": func(s *Store, _ skein.Message) {
			if _, _, err := s.DeleteClient(t.Context(), "app", "ann", 4, true); err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.EraseMessages(t.Context(), 5); err != nil {
				t.Fatal(err)
			}
		},
	} {
		s := newStore(t, Options{})
		d := newDraft(newGroup(t, s), secret)
		d.ClientMsgID, d.URL, d.Attr, d.Mentions = "x", "/storage/uploads/"+strings.Repeat("0", 32)+"."+secret, []byte(`"`+secret+`"`), []string{secret}
		m, _, err := s.Append(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		changeIt(t, s, m, "ann", skein.Change{Kind: skein.ChangeEdit, Message: skein.Message{Body: skein.Body{Text: secret + "!", Attr: d.Attr}}})
		changeIt(t, s, m, "ann", skein.Change{Kind: skein.ChangeReact, Emoji: secret, On: true})
		changeIt(t, s, m, "ann", skein.Change{Kind: skein.ChangePin, On: true})
		if len(columnsWith(t, s, secret)) < 5 {
			t.Fatalf("%s: before, found only in %v", name, columnsWith(t, s, secret))
		}
		takeBack(s, m)
		// The log of changes still has who reacted with what: that is no content.
		if got := columnsWith(t, s, secret); fmt.Sprint(got) != "[changes.emoji]" {
			t.Errorf("%s: found in %v", name, got)
		}
		if n := countRows(t, s, `SELECT count(*) FROM messages WHERE content_hash IS NOT NULL OR pinned <> 0`); n != 0 {
			t.Errorf("%s: a hash or a pin is left", name)
		}
		for _, table := range []string{"mentions", "reactions", "upload_uses"} {
			if n := countRows(t, s, `SELECT count(*) FROM `+table); n != 0 {
				t.Errorf("%s: %d rows left in %s", name, n, table)
			}
		}
	}
}

func TestARecalledTextIsNotLeftInTheFile(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	const secret = "5ecret"
	for i := range 50 {
		m, _, err := s.Append(t.Context(), newDraft(conv, fmt.Sprint(secret, i)))
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			changeIt(t, s, m, "ann", skein.Change{Kind: skein.ChangeEdit, Message: skein.Message{Body: skein.Body{Text: strings.Repeat(secret, i)}}})
		}
		changeIt(t, s, m, "ann", skein.Change{Kind: skein.ChangeRecall})
	}
	path := s.db.Engine().Path()
	if err := s.Close(); err != nil { // which moves the log into the file
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil || len(file) == 0 {
		t.Fatal(err)
	}
	if n := bytes.Count(file, []byte(secret)); n > 0 {
		t.Fatalf("found %d times", n)
	}
}

func TestAPurgeLeavesNoRow(t *testing.T) {
	s := newStore(t, Options{})
	d := newDraft(newGroup(t, s), "hi")
	name := strings.Repeat("0", 32) + ".png"
	d.MentionAll, d.URL = true, "/storage/uploads/"+name
	if err := s.AddUpload(t.Context(), skein.Upload{App: "app", Name: name}); err != nil {
		t.Fatal(err)
	}
	m, _, err := s.Append(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	changeIt(t, s, m, "ann", skein.Change{Kind: skein.ChangeReact, Emoji: "a", On: true})
	changeIt(t, s, m, "ann", skein.Change{Kind: skein.ChangeHide})
	tables := []string{"messages", "mentions", "changes", "reactions", "hidden", "upload_uses", "members", "conversations"}
	rows := func() (rows []string) {
		for _, table := range tables {
			if countRows(t, s, `SELECT count(*) FROM `+table) > 0 {
				rows = append(rows, table)
			}
		}
		return rows
	}
	if before := rows(); len(before) != len(tables) {
		t.Fatalf("before there are rows only in %v", before)
	}
	if _, err := s.DeleteConversation(t.Context(), "app", d.Conv, store.Authority{}); err != nil {
		t.Fatal(err)
	}
	if more, err := s.Purge(t.Context(), 5); err != nil || more {
		t.Fatal(more, err)
	}
	if left := rows(); len(left) > 0 {
		t.Fatalf("rows left in %v", left)
	}
}

// columnsWith returns the columns of all tables that contain text.
func columnsWith(t *testing.T, s *Store, text string) (found []string) {
	t.Helper()
	var columns [][2]string
	err := tx.Read(t.Context(), s.db, "", func(c connection) error {
		err := c.Ask(func(r *sqlite3.Stmt) { columns = append(columns, [2]string{r.ColumnText(0), r.ColumnText(1)}) },
			`SELECT t.name, i.name FROM sqlite_schema t, pragma_table_info(t.name) i WHERE t.type = 'table' ORDER BY t.name, i.cid`, nil)
		for _, col := range columns {
			err = errors.Join(err, c.Ask(func(*sqlite3.Stmt) { found = append(found, col[0]+"."+col[1]) },
				fmt.Sprintf(`SELECT 1 FROM %q WHERE instr(CAST(%q AS TEXT), ?) > 0 LIMIT 1`, col[0], col[1]), []any{text}))
		}
		return err
	})
	if err != nil || len(columns) < 50 {
		t.Fatalf("looked into %d columns: %v", len(columns), err)
	}
	return found
}

func countRows(t *testing.T, s *Store, sql string) (n int) {
	t.Helper()
	err := tx.Read(t.Context(), s.db, "", func(c connection) (err error) {
		n, err = c.Count(sql)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatIsRolledBackIsToldToNobody(t *testing.T) {
	told := 0
	s := newStore(t, Options{Committed: func(sent []skein.Committed) { told += len(sent) }})
	refused := errors.New("refused")
	mustChange(t, s, func(g group) error {
		g.Told = append(g.Told, skein.Committed{})
		return refused
	}, refused)
	if told != 0 {
		t.Fatalf("told %d", told)
	}
}

// Summaries are stored under these names. A change here needs a migration.
func TestStoredReactions(t *testing.T) {
	const want = `[{"Emoji":"a","Count":1,"Clients":["ann"]}]`
	got, err := tx.EncodeReactions([]skein.Reaction{{Emoji: "a", Count: 1, Clients: []string{"ann"}}})
	if err != nil || !json.Valid(got) || string(got) != want {
		t.Fatalf("got %s, %v\nwant %s", got, err, want)
	}
}

package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/migrations"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// upgraded opens a store that had an older schema version and these rows.
func upgraded(t *testing.T, version int64, rows string, opt Options) *Store {
	t.Helper()
	opt.Path = filepath.Join(t.TempDir(), "skein.db")
	db, err := driver.Open(opt.Path, func(c *sqlite3.Conn) error { return c.Exec(engine.Settings) })
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.Files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return openStore(t, opt)
}

// earlier is a store of the first schema: an app with the files 0 to 9. Things of every kind
// name the files 0 to 5, with many messages between.
func earlier(named int64) string {
	stem := func(n int) string { return fmt.Sprintf("%032x", n) }
	var b strings.Builder
	b.WriteString(`
		INSERT INTO apps (app_key, id, name, keys, settings, created) VALUES (1, 'app', '', '[]', '{}', 1);
		INSERT INTO clients (client_key, app_key, id, ext, created, updated, banned_until, ban_reason, cut)
			VALUES (1, 1, 'ann', '"/storage/uploads/` + stem(0) + `.png"', 1, 0, 0, '', 0);
		INSERT INTO conversations (conv_key, app_key, id, type, creator, member_count, last_seq, moved, created, updated, active, period, ttl, expires, extend)
			VALUES (1, 1, randomblob(16), 3, 'ann', 1, 20000, 1, 1, 0, 1, 0, 0, 9007199254740991, '{"icon":"` + stem(1) + `.png"}');
		INSERT INTO members (conv_key, app_key, client_id, role, joined, join_seq, muted_until, moved, draft)
			VALUES (1, 1, 'ann', 0, 1, 1, 0, 1, '` + stem(2) + `.png');
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
			INSERT INTO messages (message_key, conv_key, seq, id, sender, type, status, flags, created, updated, url, text)
			SELECT i, 1, i, randomblob(16), 'ann', -1, 1, 0, 1, 0, '', 'hi' FROM n;`)
	fmt.Fprintf(&b, `UPDATE messages SET text = 'see %s.png' WHERE seq = %d;`, stem(3), named)
	fmt.Fprintf(&b, `UPDATE messages SET url = '/storage/uploads/%s.png' WHERE seq = 5;`, stem(4))
	fmt.Fprintf(&b, `UPDATE messages SET attr = '"%s.png"' WHERE seq = 19999;`, stem(5))
	fmt.Fprintf(&b, `UPDATE messages SET text = '%s.png', status = 3 WHERE seq = 7;`, stem(6))
	for n := range 10 {
		fmt.Fprintf(&b, `INSERT INTO uploads (upload_key, app_key, name, client_id, created, withdrawn) VALUES (%d, 1, '%s.png', 'ann', 1, %d);`, n+1, stem(n), n%2)
	}
	b.WriteString(`INSERT INTO upload_uses (upload_key, message_key) VALUES (5, 5);`)
	return b.String()
}

func TestFilesOfAnEarlierVersionStayWhileAnythingNamesThem(t *testing.T) {
	now := skein.Millis(10 * skein.UnnamedFor.Milliseconds())
	s := upgraded(t, 1, earlier(12345), Options{Now: func() time.Time { return now.Time() }})
	name := func(n int) string { return fmt.Sprintf("%032x.png", n) }
	living := func() (all []int) {
		t.Helper()
		for n := range 10 {
			_, found, err := s.Upload(t.Context(), name(n))
			if err != nil {
				t.Fatal(err)
			}
			if found {
				all = append(all, n)
			}
		}
		return all
	}
	release := func() (names []string) {
		t.Helper()
		for more := true; more; {
			var err error
			if more, err = s.ReleaseUploads(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		}
		names, err := s.ReleasedUploads(t.Context(), "", 100)
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	steps := 0
	for more := true; more; steps++ {
		if got := len(living()); got != 10 {
			t.Fatalf("before all was looked through: %d files live, want 10", got)
		}
		if got := release(); len(got) > 0 {
			t.Fatalf("before all was looked through: released %v", got)
		}
		var err error
		if more, err = s.FillUploads(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if steps < 20_000/5_000 {
		t.Errorf("looked through all in %d steps, want small ones", steps)
	}
	if got, want := living(), []int{0, 1, 2, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("then the files %v live, want %v", got, want)
	}
	if got, want := release(), []string{name(6), name(7), name(8), name(9)}; !slices.Equal(got, want) {
		t.Errorf("then %v are released, want %v", got, want)
	}
}

// A server may be stopped in the middle, and messages change meanwhile.
func TestLookingThroughAnEarlierVersionGoesOnAfterARestart(t *testing.T) {
	now := skein.Millis(10 * skein.UnnamedFor.Milliseconds())
	opt := Options{Now: func() time.Time { return now.Time() }}
	s := upgraded(t, 1, earlier(12345), opt)
	if _, err := s.FillUploads(t.Context()); err != nil {
		t.Fatal(err)
	}
	opt.Path = s.db.Engine().Path()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, opt)
	err := tx.Change(context.Background(), s.db, func(g group) error { // edits a message that the backfill has not reached yet
		if err := g.Exec(`UPDATE messages SET text = 'nothing' WHERE seq = 12345`); err != nil {
			return err
		}
		return g.RenameUploads("app", tx.ByMessage, 12345, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		if more, err = s.FillUploads(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range map[int]bool{0: true, 3: false, 4: true, 5: true} {
		if _, found, err := s.Upload(t.Context(), fmt.Sprintf("%032x.png", n)); err != nil || found != want {
			t.Errorf("file %d: found %v, %v, want %v", n, found, err, want)
		}
	}
}

// Package copying reads the rows of a store file for a migration while a server writes to it, and
// fills a file. The order of the steps is that of store/copying.
package copying

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/copying"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// Source is a file that is copied. Triggers note the keys of what is written, so nothing depends on who writes.
// Owned by one goroutine.
type Source struct {
	reader

	writer *engine.Conn
	to     string
	free   func() (bool, error)
}

var _ copying.Source = (*Source)(nil)

// OpenSource opens the file at path, which schema.Bring accepted, or which is sealed already. to names the target
// for people. free reports whether no server has the file open.
func OpenSource(path, to string, free func() (bool, error)) (*Source, error) {
	r, err := engine.OpenConn(path, sqlite3.OPEN_READONLY, engine.ReaderSettings)
	if err != nil {
		return nil, err
	}
	w, err := engine.OpenConn(path, sqlite3.OPEN_READWRITE, engine.WriterSettings)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	s := &Source{reader: reader{r, map[string]int64{}}, writer: w, to: to, free: free}
	if err := schema.MustBeNewest(r, path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if n, err := r.Count(`SELECT count(*) FROM backfill`); err != nil || n > 0 {
		return nil, errors.Join(err, errors.New("a server still reads which files the rows of an older version name: let it run for a while"), s.Close())
	}
	return s, nil
}

// Close closes the file.
func (s *Source) Close() error { return errors.Join(s.Conn.Close(), s.writer.Close()) }

// Replaced is how many texts PostgreSQL cannot hold as they were, by table.
func (s *Source) Replaced() map[string]int64 { return s.replaced }

// Follow implements copying.Source.
func (s *Source) Follow(context.Context) (id string, err error) {
	err = inTx(s.writer, `BEGIN IMMEDIATE`, func() error {
		known, err := schema.Moving(s.writer)
		if err != nil || known.ID != "" {
			id = known.ID
			return err
		}
		id = rand.Text()
		if err := s.writer.DB.Exec(followTables); err != nil {
			return err
		}
		for _, t := range copying.Tables {
			if err := s.writer.DB.Exec(noteTriggers(t)); err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
		}
		return s.writer.Exec(`INSERT INTO moving (one, id, other, sealed) VALUES (1, ?1, ?2, 0)`, id, s.to)
	})
	return id, err
}

// followTables are the tables of a migration in its source. A note is never given the number of one
// that was forgotten.
const followTables = `
CREATE TABLE moving (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, other TEXT NOT NULL, sealed INTEGER NOT NULL) STRICT;
CREATE TABLE moving_notes (n INTEGER PRIMARY KEY AUTOINCREMENT, tbl TEXT NOT NULL, key TEXT NOT NULL) STRICT;`

// noteTriggers note each row of a table that is written.
func noteTriggers(t *copying.Table) string {
	note := func(row string) string {
		keys := make([]string, t.Keys)
		for i, k := range t.KeyColumns() {
			keys[i] = row + `.` + k
		}
		own := `SELECT '` + t.Name + `', json_array(` + strings.Join(keys, `, `) + `)`
		if t.Name == "upload_uses" || t.Name == "unknown_fields" {
			own += ` WHERE ` + row + `.kind <> 1
				UNION ALL SELECT 'messages', json_array(conv_key, seq) FROM messages WHERE ` + row + `.kind = 1 AND message_key = ` + row + `.thing_key`
		}
		return ` BEGIN INSERT INTO moving_notes (tbl, key) ` + own + `; END;`
	}
	name := `CREATE TRIGGER moving_` + t.Name
	return name + `_i AFTER INSERT ON ` + t.Name + note(`new`) +
		name + `_u AFTER UPDATE ON ` + t.Name + note(`new`) +
		name + `_k AFTER UPDATE OF ` + strings.Join(t.KeyColumns(), `, `) + ` ON ` + t.Name + note(`old`) +
		name + `_d AFTER DELETE ON ` + t.Name + note(`old`)
}

// View implements copying.Source.
func (s *Source) View(_ context.Context, do func(copying.View) error) error {
	return inTx(s.Conn, `BEGIN`, func() error { return do(view{&s.reader}) })
}

type view struct{ *reader }

// Notes implements copying.View. Notes are numbered in the order of their commits.
func (v view) Notes(_ context.Context, after string, limit int, _ bool) (notes []copying.Note, next string, err error) {
	var n int64
	if after != "" {
		if n, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, "", fmt.Errorf("place %q: %w", after, err)
		}
	}
	var failed error
	err = v.Conn.Rows(func(r *sqlite3.Stmt) {
		n = r.ColumnInt64(0)
		note, err := copying.ParseNote(r.ColumnText(1), r.ColumnText(2))
		failed = errors.Join(failed, err)
		notes = append(notes, note)
	}, `SELECT n, tbl, key FROM moving_notes WHERE n > ?1 ORDER BY n LIMIT ?2`, n, limit)
	return notes, strconv.FormatInt(n, 10), errors.Join(err, failed)
}

// forgetAt is how many notes gather before they are removed: a commit by somebody else makes the
// server drop what it remembers.
const forgetAt = 200_000

// Forget implements copying.Source.
func (s *Source) Forget(_ context.Context, upto string) error {
	n, err := strconv.ParseInt(upto, 10, 64)
	if err != nil {
		return fmt.Errorf("place %q: %w", upto, err)
	}
	var first int64
	if _, err := s.writer.Row(func(r *sqlite3.Stmt) { first = r.ColumnInt64(0) }, `SELECT coalesce(min(n), 0) FROM moving_notes`); err != nil || n-first < forgetAt {
		return err
	}
	return s.writer.Exec(`DELETE FROM moving_notes WHERE n <= ?1`, n)
}

// Secret implements copying.Source.
func (s *Source) Secret(context.Context) (salt []byte, err error) {
	_, err = s.Row(func(r *sqlite3.Stmt) { salt = engine.Bytes(r, 0) }, `SELECT salt FROM history`)
	return salt, err
}

// Free implements copying.Source.
func (s *Source) Free(context.Context) (bool, error) { return s.free() }

// Seal implements copying.Source: its triggers refuse every write, also one of a command that has the file
// open, and schema.Bring refuses to open it.
func (s *Source) Seal(context.Context) error {
	return inTx(s.writer, `BEGIN IMMEDIATE`, func() error {
		known, err := schema.Moving(s.writer)
		if err != nil || known.Sealed {
			return err
		}
		if err := dropTriggers(s.writer, `moving\_%`); err != nil {
			return err
		}
		for _, t := range copying.Tables {
			for _, op := range []string{"INSERT", "UPDATE", "DELETE"} {
				if err := s.writer.DB.Exec(`CREATE TRIGGER moving_` + t.Name + `_` + op + ` BEFORE ` + op + ` ON ` + t.Name +
					` BEGIN SELECT RAISE(ABORT, 'the store has moved'); END`); err != nil {
					return err
				}
			}
		}
		return s.writer.Exec(`UPDATE moving SET sealed = 1`)
	})
}

// dropTriggers removes triggers whose names match and returns nothing of them.
func dropTriggers(c *engine.Conn, like string) error {
	var names []string
	err := c.Rows(func(r *sqlite3.Stmt) { names = append(names, r.ColumnText(0)) },
		`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE ?1 ESCAPE '\'`, like)
	for _, name := range names {
		err = errors.Join(err, c.DB.Exec(`DROP TRIGGER `+name))
	}
	return err
}

// Numbers implements copying.Source.
func (s *Source) Numbers(context.Context) (given copying.Numbers, err error) {
	given.Keys = map[string]int64{}
	err = s.Conn.Rows(func(r *sqlite3.Stmt) { given.Keys[r.ColumnText(0)] = r.ColumnInt64(1) }, `SELECT name, seq FROM sqlite_sequence`)
	for _, name := range slices.Sorted(slices.Values(copying.Keyed)) {
		key := name[:len(name)-1] + `_key`
		if name == "apps" || given.Keys[name] != 0 {
			continue
		}
		if name == "conversations" {
			key = `conv_key`
		}
		_, e := s.Row(func(r *sqlite3.Stmt) { given.Keys[name] = r.ColumnInt64(0) }, `SELECT coalesce(max(`+key+`), 0) FROM `+name)
		err = errors.Join(err, e)
	}
	_, e := s.Row(func(r *sqlite3.Stmt) { given.Stamp = r.ColumnInt64(0) }, `SELECT ceiling FROM history`)
	return given, errors.Join(err, e)
}

// Cancel ends a migration of the file at path: the file is what it was before.
func Cancel(path string) (err error) {
	c, err := engine.OpenConn(path, sqlite3.OPEN_READWRITE, engine.WriterSettings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return inTx(c, `BEGIN IMMEDIATE`, func() error {
		if err := dropTriggers(c, `moving\_%`); err != nil {
			return err
		}
		return c.DB.Exec(`DROP TABLE IF EXISTS moving; DROP TABLE IF EXISTS moving_notes;`)
	})
}

// Sealed reports whether the file at path has moved.
func Sealed(path string) bool {
	c, err := engine.OpenConn(path, sqlite3.OPEN_READONLY, engine.ReaderSettings)
	if err != nil {
		return false
	}
	defer c.Close() //nolint:errcheck // opened only for reading
	m, err := schema.Moving(c)
	return err == nil && m.Sealed
}

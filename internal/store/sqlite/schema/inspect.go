package schema

import (
	"context"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/wal"
)

// Contents are the numbers of things in a store.
type Contents struct {
	Schema        int64
	Epoch         int64
	Tables        map[string]int64 // rows, by table
	Conversations map[string]int64 // by app
	Uploads       []string         // names
}

// Inspect reads all of a store that no process uses, such as a backup, and changes nothing. An
// error says what is wrong with it.
func Inspect(path string) (held Contents, err error) {
	if _, err := recognise(path); err != nil {
		return held, err
	}
	if err := wal.Check(path); err != nil {
		return held, err
	}
	err = lookUntouched(path, func(c *engine.Conn) error {
		if held.Schema, err = checkSchema(c, path); err != nil {
			return err
		}
		if err := c.Sound(`PRAGMA integrity_check(1)`); err != nil {
			return err
		}
		return countRows(c, &held)
	})
	return held, readable(path, err)
}

func countRows(c *engine.Conn, held *Contents) error {
	held.Tables, held.Conversations = make(map[string]int64), make(map[string]int64)
	var tables []string
	err := c.Rows(func(r *sqlite3.Stmt) { tables = append(tables, r.ColumnText(0)) },
		`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
	for _, table := range tables {
		err = errors.Join(err, c.Ask(func(r *sqlite3.Stmt) { held.Tables[table] = r.ColumnInt64(0) }, fmt.Sprintf(`SELECT count(*) FROM %q`, table), nil))
	}
	return errors.Join(err,
		c.Rows(func(r *sqlite3.Stmt) { held.Epoch = r.ColumnInt64(0) }, `SELECT epoch FROM history`),
		c.Rows(func(r *sqlite3.Stmt) { held.Conversations[r.ColumnText(0)] = r.ColumnInt64(1) },
			`SELECT id, (SELECT count(*) FROM conversations c WHERE c.app_key = a.app_key) FROM apps a`),
		c.Rows(func(r *sqlite3.Stmt) { held.Uploads = append(held.Uploads, r.ColumnText(0)) }, `SELECT name FROM uploads ORDER BY name`))
}

// Health is what a look at a store tells that a server may have open.
type Health struct {
	Have, Newest int64  // schema
	Moving       string // the target of a migration under way
}

// Examine looks at a store and changes nothing. whole: it reads all pages. Errors tell what is wrong with the store.
func Examine(ctx context.Context, path string, whole bool) (h Health, err error) {
	if _, err := recognise(path); err != nil {
		return h, err
	}
	if h.Newest, err = newestSchema(); err != nil {
		return h, err
	}
	see := func(c *engine.Conn) error {
		if h.Have, err = checkSchema(c, path); err != nil {
			return err
		}
		m, err := Moving(c)
		if h.Moving = m.To; err != nil || !whole {
			return err
		}
		return c.Sound(`PRAGMA quick_check(1)`)
	}
	if err = lookWhole(ctx, path, see); errors.Is(err, errInUse) {
		err = readable(path, withFile(ctx, path, see))
	}
	return h, err
}

package schema

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// Migration is a migration of a store to another one, as the store knows it.
type Migration struct {
	ID     string // empty: there is none
	To     string // the target, for people
	Sealed bool   // nothing may be written any more
}

// Moving is the migration that a file is the source of.
func Moving(c *engine.Conn) (m Migration, err error) {
	n, err := c.Count(`SELECT count(*) FROM sqlite_schema WHERE name = 'moving'`)
	if err != nil || n == 0 {
		return m, err
	}
	_, err = c.Row(func(r *sqlite3.Stmt) { m = Migration{r.ColumnText(0), r.ColumnText(1), r.ColumnBool(2)} }, `SELECT id, other, sealed FROM moving`)
	return m, err
}

// mustNotHaveMoved refuses a store that was sealed by a migration.
func mustNotHaveMoved(c *engine.Conn, path string) error {
	m, err := Moving(c)
	if err == nil && m.Sealed {
		err = fmt.Errorf("%s has moved to %s: start the server with that --database; to give up what was written there, skein migrate --cancel", path, m.To)
	}
	return err
}

// MustBeNewest refuses a file of another schema than this binary's.
func MustBeNewest(c *engine.Conn, path string) error {
	newest, err := newestSchema()
	if err != nil {
		return err
	}
	var have int64
	if _, err := c.Row(func(r *sqlite3.Stmt) { have = r.ColumnInt64(0) }, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`); err != nil {
		return err
	}
	if have != newest {
		return fmt.Errorf("%s has schema version %d, and this skein copies version %d alone: start a server of this version on it first", path, have, newest)
	}
	return nil
}

package sqlite

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// settings hold for every connection, busy_timeout first since the others may
// meet a lock. FULL syncs the log on every commit: an answered write survives the
// loss of power. No table declares a foreign key: rows go in short chunks long
// after what they belong to.
const settings = `
PRAGMA busy_timeout = 5000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = OFF;
PRAGMA temp_store = MEMORY;
`

// Settings of the writer and of a reader. The writer leaves the log to the
// checkpointer, and zeroes what is taken out of a page that it writes anyway: a
// recalled text is not left in the file, save for the pages of a long one, until
// they are used again, and for the log, until it starts anew. The caches are in KiB
// and filled only as needed.
const (
	writerSettings = settings + `PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = FAST; PRAGMA cache_size = -32768;`
	readerSettings = `PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;`
)

// connection is one handle on the file with the statements it has prepared. It is
// owned by one goroutine at a time.
type connection struct {
	db       *sqlite3.Conn
	prepared map[string]*sqlite3.Stmt
	meter    meter // of the read under way; see readers
}

func openConnection(path string, flags sqlite3.OpenFlag, settings string) (*connection, error) {
	db, err := sqlite3.OpenFlags(path, flags)
	if err != nil {
		return nil, err
	}
	if err := db.Exec(settings); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	// A plan is to be good for whatever a statement is given. Without this, some are
	// prepared anew when they are given something else: the one behind every view was,
	// which made a sync three times as dear.
	if _, err := db.Config(sqlite3.DBCONFIG_ENABLE_QPSG, true); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &connection{db: db, prepared: make(map[string]*sqlite3.Stmt)}, nil
}

func (c *connection) close() error {
	var errs error
	for _, stmt := range c.prepared {
		errs = errors.Join(errs, stmt.Close())
	}
	return errors.Join(errs, c.db.Close())
}

// keepLog lets the log be when this connection is closed as the last one.
func (c *connection) keepLog() error {
	_, err := c.db.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true)
	return err
}

// statement is the prepared form of sql, kept for the next time. For constant
// texts only: nothing is ever forgotten.
func (c *connection) statement(sql string) (*sqlite3.Stmt, error) {
	if stmt, ok := c.prepared[sql]; ok {
		return stmt, nil
	}
	stmt, _, err := c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	c.prepared[sql] = stmt
	return stmt, nil
}

// exec runs a constant statement that answers no rows.
func (c *connection) exec(sql string, args ...any) error {
	stmt, err := c.statement(sql)
	if err != nil {
		return err
	}
	if err := bind(stmt, args); err != nil {
		return err
	}
	return stmt.Exec()
}

// change is exec that reports whether any row was changed.
func (c *connection) change(sql string, args ...any) (bool, error) {
	n, err := c.changes(sql, args...)
	return n > 0, err
}

// changes is exec that tells how many rows were changed.
func (c *connection) changes(sql string, args ...any) (int64, error) {
	if err := c.exec(sql, args...); err != nil {
		return 0, err
	}
	return c.db.Changes(), nil
}

// row shows the first row of a constant query to read, which must copy what it
// keeps and must not use the connection. It reports whether there was one.
func (c *connection) row(read func(*sqlite3.Stmt), sql string, args ...any) (bool, error) {
	stmt, err := c.statement(sql)
	if err != nil {
		return false, err
	}
	if err := bind(stmt, args); err != nil {
		return false, err
	}
	found := stmt.Step()
	if found && read != nil {
		read(stmt)
	}
	return found, finish(stmt)
}

// rows shows each row of a constant query to read, as row does.
func (c *connection) rows(read func(*sqlite3.Stmt), sql string, args ...any) error {
	stmt, err := c.statement(sql)
	if err != nil {
		return err
	}
	return drain(stmt, read, args)
}

// ask is rows for a query that was built for this call: its statement is let go
// of afterwards.
func (c *connection) ask(read func(*sqlite3.Stmt), sql string, args []any) error {
	stmt, _, err := c.db.Prepare(sql)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	return errors.Join(drain(stmt, read, args), stmt.Close())
}

func drain(stmt *sqlite3.Stmt, read func(*sqlite3.Stmt), args []any) error {
	if err := bind(stmt, args); err != nil {
		return err
	}
	for stmt.Step() {
		read(stmt)
	}
	return finish(stmt)
}

// finish lets go of the statement's rows and locks, and answers what went wrong.
func finish(stmt *sqlite3.Stmt) error {
	err := stmt.Err()
	if e := stmt.Reset(); err == nil {
		err = e
	}
	return err
}

// bind gives stmt its arguments, the first to ?1.
func bind(stmt *sqlite3.Stmt, args []any) error {
	for i, arg := range args {
		if err := bindOne(stmt, i+1, arg); err != nil {
			return fmt.Errorf("bind ?%d: %w", i+1, err)
		}
	}
	return nil
}

func bindOne(stmt *sqlite3.Stmt, i int, arg any) error {
	switch v := arg.(type) {
	case nil:
		return stmt.BindNull(i)
	case int64:
		return stmt.BindInt64(i, v)
	case int:
		return stmt.BindInt64(i, int64(v))
	case float64:
		return stmt.BindFloat(i, v)
	case bool:
		return stmt.BindBool(i, v)
	case string:
		return stmt.BindText(i, v)
	case []byte:
		return stmt.BindBlob(i, v)
	case rawText:
		return stmt.BindRawText(i, v)
	case skein.ID:
		return stmt.BindBlob(i, v[:])
	case skein.Millis:
		return stmt.BindInt64(i, int64(v))
	case skein.ConvType:
		return stmt.BindInt64(i, int64(v))
	case skein.Role:
		return stmt.BindInt64(i, int64(v))
	case skein.AddBy:
		return stmt.BindInt64(i, int64(v))
	case skein.Status:
		return stmt.BindInt64(i, int64(v))
	default:
		return fmt.Errorf("no way to bind a %T", arg)
	}
}

// rawText is text in bytes, such as a JSON value; nil is NULL.
type rawText []byte

// bytesOrNil copies a column of bytes or text; NULL is nil, empty is not.
func bytesOrNil(stmt *sqlite3.Stmt, col int) []byte {
	if stmt.ColumnType(col) == sqlite3.NULL {
		return nil
	}
	return stmt.ColumnBlob(col, []byte{})
}

// idColumn is the ID in a column; NULL is the zero ID.
func idColumn(stmt *sqlite3.Stmt, col int) (id skein.ID) {
	copy(id[:], stmt.ColumnRawBlob(col))
	return id
}

// smallColumn is a column that was written from a T.
func smallColumn[T ~int8](stmt *sqlite3.Stmt, col int) T { return T(stmt.ColumnInt64(col)) }

func millisColumn(stmt *sqlite3.Stmt, col int) skein.Millis {
	return skein.Millis(stmt.ColumnInt64(col))
}

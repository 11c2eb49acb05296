package engine

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/skein-im/skein"
)

// Settings are those of every Conn. busy_timeout comes first, because the others may meet a
// lock. FULL syncs the log on every commit, so an answered write survives a power cut. No table
// declares a foreign key: rows are removed in small batches, long after the row that they
// belong to.
const Settings = `
PRAGMA busy_timeout = 5000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = OFF;
PRAGMA temp_store = MEMORY;
`

// Settings of the writer and of a reader. The writer leaves the log to the checkpointer. It
// overwrites deleted content with zeros in pages that it writes anyway. So a recalled text does
// not stay in the file, with two exceptions: overflow pages of a long text until they are used
// again, and the log until it restarts. The caches are in KiB and filled only as needed.
const (
	WriterSettings = Settings + `PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = FAST; PRAGMA cache_size = -32768;`
	ReaderSettings = `PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;`
)

// Conn is a connection to the file with its prepared statements. It is owned by one goroutine
// at a time.
type Conn struct {
	DB       *sqlite3.Conn
	prepared map[string]*sqlite3.Stmt
	meter    meter // of the read under way; see readers
}

// Through names the file at path so that OpenConn opens it through a registered VFS.
func Through(vfsName, path string) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: url.Values{"vfs": {vfsName}}.Encode()}
	return u.String()
}

// OpenConn opens the file at path with settings, which are SQL.
func OpenConn(path string, flags sqlite3.OpenFlag, settings string) (*Conn, error) {
	db, err := sqlite3.OpenFlags(path, flags)
	if err != nil {
		return nil, err
	}
	if err := db.Exec(settings); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	// A plan must not depend on the bound values. Otherwise SQLite prepares some statements
	// anew when a value changes; the query of every view did, and a sync cost three times as
	// much.
	if _, err := db.Config(sqlite3.DBCONFIG_ENABLE_QPSG, true); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Conn{DB: db, prepared: make(map[string]*sqlite3.Stmt)}, nil
}

// Close closes the connection.
func (c *Conn) Close() error {
	var errs error
	for _, stmt := range c.prepared {
		errs = errors.Join(errs, stmt.Close())
	}
	return errors.Join(errs, c.DB.Close())
}

// log is the write-ahead log of the file.
func (c *Conn) log() (vfs.File, error) {
	f, err := c.DB.FileControl("main", sqlite3.FCNTL_JOURNAL_POINTER)
	if err != nil {
		return nil, err
	}
	log, ok := f.(vfs.File)
	if !ok {
		return nil, fmt.Errorf("the log is a %T", f)
	}
	return log, nil
}

// KeepLog makes Close keep the log, even if this is the last connection.
func (c *Conn) KeepLog() error {
	_, err := c.DB.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true)
	return err
}

// statement is the prepared form of sql, which is kept for the next call. Only for constant
// texts: statements are kept until Close.
func (c *Conn) statement(sql string) (*sqlite3.Stmt, error) {
	if stmt, ok := c.prepared[sql]; ok {
		return stmt, nil
	}
	stmt, _, err := c.DB.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	c.prepared[sql] = stmt
	return stmt, nil
}

// Exec runs a constant statement that returns no rows.
func (c *Conn) Exec(sql string, args ...any) error {
	stmt, err := c.statement(sql)
	if err != nil {
		return err
	}
	if err := bind(stmt, args); err != nil {
		return err
	}
	return stmt.Exec()
}

// Change is Exec, and reports whether any row was changed.
func (c *Conn) Change(sql string, args ...any) (bool, error) {
	n, err := c.Changes(sql, args...)
	return n > 0, err
}

// Changes is Exec, and returns how many rows were changed.
func (c *Conn) Changes(sql string, args ...any) (int64, error) {
	if err := c.Exec(sql, args...); err != nil {
		return 0, err
	}
	return c.DB.Changes(), nil
}

// Row passes the first row of a constant query to read, which must copy what it keeps and must
// not use the Conn. It reports whether there was a row.
func (c *Conn) Row(read func(*sqlite3.Stmt), sql string, args ...any) (bool, error) {
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

// Rows passes each row of a constant query to read, as Row does.
func (c *Conn) Rows(read func(*sqlite3.Stmt), sql string, args ...any) error {
	stmt, err := c.statement(sql)
	if err != nil {
		return err
	}
	return drain(stmt, read, args)
}

// Ask is Rows for a query that was built for this call: its statement is closed afterwards.
func (c *Conn) Ask(read func(*sqlite3.Stmt), sql string, args []any) error {
	stmt, _, err := c.DB.Prepare(sql)
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

// finish releases the statement's rows and locks, and returns its error.
func finish(stmt *sqlite3.Stmt) error {
	err := stmt.Err()
	if e := stmt.Reset(); err == nil {
		err = e
	}
	return err
}

// bind sets the arguments of stmt, the first to ?1.
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
	case RawText:
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

// RawText is text in bytes, such as a JSON value; nil is NULL.
type RawText []byte

// Bytes copies a column of bytes or text. NULL becomes nil, empty does not.
func Bytes(stmt *sqlite3.Stmt, col int) []byte {
	if stmt.ColumnType(col) == sqlite3.NULL {
		return nil
	}
	return stmt.ColumnBlob(col, []byte{})
}

// ID is the ID in a column. NULL is the zero ID.
func ID(stmt *sqlite3.Stmt, col int) (id skein.ID) {
	copy(id[:], stmt.ColumnRawBlob(col))
	return id
}

// Small is a column that was written from a T.
func Small[T ~int8](stmt *sqlite3.Stmt, col int) T { return T(stmt.ColumnInt64(col)) }

// Millis is the time in a column.
func Millis(stmt *sqlite3.Stmt, col int) skein.Millis {
	return skein.Millis(stmt.ColumnInt64(col))
}

// Count is the number that a query of one row and one column returns.
func (c *Conn) Count(sql string, args ...any) (n int, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) { n = int(r.ColumnInt64(0)) }, sql, args...)
	return n, err
}

// Sound runs one of SQLite's checks.
func (c *Conn) Sound(check string) error {
	var said string
	_, err := c.Row(func(r *sqlite3.Stmt) { said = r.ColumnText(0) }, check)
	if err == nil && said != "ok" {
		err = fmt.Errorf("%w: %s", sqlite3.CORRUPT, said)
	}
	return err
}

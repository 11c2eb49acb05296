package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/migrations"
)

// applicationID, "Skei", marks a file as Skein's in its header. Files of the first two schemas
// have zero there.
const (
	applicationID = 0x536b6569
	markedSince   = 3 // schema
)

// ErrOldSchema is about a store that a running server has open, and that a newer
// binary would have to migrate.
var ErrOldSchema = errors.New("the running server keeps an older schema: restart it with this version first")

// recognise reads the header of the file. It returns an error if the file is no store, and
// whether the file uses a log: a copy that VACUUM made does not yet. SQLite itself would turn an
// empty file into a database, and would delete a log beside it.
func recognise(path string) (logged bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("%s is no Skein store: it is no regular file", path)
	}
	if info.Size() == 0 {
		return false, fmt.Errorf("%s is no Skein store: it is empty", path)
	}
	f, err := os.Open(path) //nolint:gosec // the operator's own
	if err != nil {
		return false, err
	}
	header := make([]byte, 100)
	_, err = io.ReadFull(f, header)
	if err := errors.Join(err, f.Close()); err != nil || string(header[:16]) != "SQLite format 3\x00" {
		return false, fmt.Errorf("%s is no Skein store: it does not begin as a SQLite database", path)
	}
	if id := binary.BigEndian.Uint32(header[68:]); id != 0 && id != applicationID {
		return false, fmt.Errorf("%s is no Skein store: it is another program's database (application id %#x)", path, id)
	}
	pages, page := int64(binary.BigEndian.Uint32(header[28:])), int64(binary.BigEndian.Uint16(header[16:]))
	if log, err := os.Stat(path + "-wal"); (err != nil || log.Size() == 0) && page > 1 && pages*page > info.Size() {
		return false, fmt.Errorf("%s is damaged: it was cut short, to %d of %d bytes", path, info.Size(), pages*page)
	}
	return header[18] == 2, nil
}

// checkSchema returns the version of the schema. It fails unless this binary knows the version
// and the file has the tables and indexes of that version.
func checkSchema(c *engine.Conn, path string) (version int64, err error) {
	have, err := defined(c)
	if err != nil {
		return 0, err
	}
	for _, table := range []string{"goose_db_version", "apps", "messages", "history"} {
		if _, ok := have["table "+table]; !ok {
			return 0, fmt.Errorf("%s is no Skein store: it has no table %s", path, table)
		}
	}
	if _, err := c.Row(func(r *sqlite3.Stmt) { version = r.ColumnInt64(0) },
		`SELECT max(version_id) FROM goose_db_version WHERE is_applied`); err != nil {
		return 0, err
	}
	newest, err := newestSchema()
	if err != nil {
		return 0, err
	}
	if version > newest {
		return version, fmt.Errorf("%s has schema version %d, and this skein knows none newer than %d: run the version that wrote it, or a later one", path, version, newest)
	}
	want, err := schemaOf(version)
	if err != nil {
		return version, fmt.Errorf("schema version %d: %w", version, err)
	}
	for name, text := range want {
		if have[name] != text {
			return version, fmt.Errorf("%s says that its schema has version %d, but its %s is not that version's: a build that was never released made it, and it cannot be brought up to date; export what is needed with that build", path, version, name)
		}
	}
	if _, moving := have["table moving"]; moving {
		if err := mustNotHaveMoved(c, path); err != nil {
			return version, err
		}
	}
	var id int64
	if _, err := c.Row(func(r *sqlite3.Stmt) { id = r.ColumnInt64(0) }, `PRAGMA application_id`); err != nil {
		return version, err
	}
	if version >= markedSince && id != applicationID {
		return version, fmt.Errorf("%s is no Skein store: its application id is %#x", path, id)
	}
	return version, nil
}

// defined are the definitions in the file, by kind and name, without comments and spaces.
func defined(c *engine.Conn) (map[string]string, error) {
	all := make(map[string]string)
	err := c.Rows(func(r *sqlite3.Stmt) {
		all[r.ColumnText(0)+" "+r.ColumnText(1)] = squeeze(r.ColumnText(2))
	}, `SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
	return all, err
}

var comment = regexp.MustCompile(`--[^\n]*`)

func squeeze(sql string) string {
	return strings.Join(strings.Fields(comment.ReplaceAllString(sql, " ")), " ")
}

// newestSchema is the version that the migrations lead to.
func newestSchema() (int64, error) {
	all, err := migrationFiles()
	if err != nil {
		return 0, err
	}
	return all[len(all)-1].version, nil
}

// migration is one file of migrations.
type migration struct {
	version  int64
	name, up string
}

// migrationFiles are all migrations in order.
func migrationFiles() (all []migration, err error) {
	entries, err := migrations.Files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		m := migration{name: "migrations/" + e.Name()}
		if _, err := fmt.Sscanf(e.Name(), "%d_", &m.version); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		raw, err := migrations.Files.ReadFile(e.Name())
		if err != nil {
			return nil, err
		}
		m.up, _, _ = strings.Cut(string(raw), "-- +goose Down")
		all = append(all, m)
	}
	return all, nil
}

// schemas caches the results of schemaOf by version.
var schemas sync.Map

// schemaOf returns what the migrations up to a version define. The caller must not change the
// result. It runs them in memory without goose, in a tenth of the time: every start does this.
func schemaOf(version int64) (all map[string]string, err error) {
	if known, ok := schemas.Load(version); ok {
		return known.(map[string]string), nil //nolint:forcetypeassert // nothing else is stored
	}
	files, err := migrationFiles()
	if err != nil {
		return nil, err
	}
	c, err := engine.OpenConn(":memory:", sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE, `BEGIN`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for _, m := range files {
		if m.version > version {
			break
		}
		if err := c.DB.Exec(m.up); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	all, err = defined(c)
	if err == nil {
		schemas.Store(version, all)
	}
	return all, err
}

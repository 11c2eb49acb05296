package sqlite

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// fixture is a store as a binary with an older schema left it when it was killed.
func fixture(t *testing.T, version string) (path string) {
	t.Helper()
	raw, err := os.ReadFile("testdata/schemas/" + version + ".tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for archive := tar.NewReader(zip); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return filepath.Join(dir, "skein.db")
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheFixtureOfTheFirstSchemaHasRowsInEveryTable(t *testing.T) {
	path := fixture(t, "00001")
	c, err := engine.OpenConn(path, sqlite3.OPEN_READWRITE, engine.Settings)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var tables []string
	err = c.Rows(func(r *sqlite3.Stmt) { tables = append(tables, r.ColumnText(0)) },
		`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables %v, %v", tables, err)
	}
	for _, table := range tables {
		if table == "erasures" { // a server completes a small one within the call
			continue
		}
		if found, err := c.Row(nil, `SELECT 1 FROM `+table); err != nil || !found {
			t.Errorf("table %s: no row, %v", table, err)
		}
	}
}

// A refused file is not changed by a byte, and no file is created beside it.
func TestOpenRefusesWhatIsNoStoreAndLeavesItAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"an empty file": {func(t *testing.T, path string) { t.Helper(); putFile(t, path, nil) }, "it is empty"},
		"a text":        {func(t *testing.T, path string) { t.Helper(); putFile(t, path, []byte("hello\n")) }, "does not begin as a SQLite database"},
		"a long text": {func(t *testing.T, path string) { t.Helper(); putFile(t, path, bytes.Repeat([]byte("hello\n"), 9999)) },
			"does not begin as a SQLite database"},
		"a folder": {func(t *testing.T, path string) {
			t.Helper()
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "no regular file"},
		"another program's database": {func(t *testing.T, path string) { t.Helper(); run(t, path, `CREATE TABLE notes (text)`) }, "no table"},
		"another program's database with a log": {func(t *testing.T, path string) {
			t.Helper()
			withLog(t, path, `PRAGMA journal_mode = WAL; CREATE TABLE notes (text)`)
		}, "no table"},
		"a database that says whose it is": {func(t *testing.T, path string) {
			t.Helper()
			run(t, path, `PRAGMA application_id = 0x0f055112; CREATE TABLE event (x)`)
		}, "another program's database (application id 0xf055112)"},
		"another program's migrations": {func(t *testing.T, path string) {
			t.Helper()
			run(t, path, `CREATE TABLE goose_db_version (version_id, is_applied); INSERT INTO goose_db_version VALUES (9, 1)`)
		}, "no table"},
		"a newer schema": {func(t *testing.T, path string) {
			t.Helper()
			closedStore(t, path)
			run(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
		}, "has schema version 99999, and this skein knows none newer than"},
		"a schema that is not what its version says": {func(t *testing.T, path string) {
			t.Helper()
			closedStore(t, path)
			run(t, path, `ALTER TABLE messages DROP COLUMN attr`)
		}, "its table messages is not that version's"},
		"an old schema that is not what its version says": {func(t *testing.T, path string) {
			t.Helper()
			putFile(t, path, fileOf(t, fixture(t, "00001")))
			run(t, path, `ALTER TABLE clients DROP COLUMN seen`)
		}, "its table clients is not that version's"},
		"a schema without an index": {func(t *testing.T, path string) {
			t.Helper()
			closedStore(t, path)
			run(t, path, `DROP INDEX members_by_move`)
		}, "its index members_by_move is not that version's"},
		"a store cut in two": {func(t *testing.T, path string) {
			t.Helper()
			closedStore(t, path)
			raw := fileOf(t, path)
			putFile(t, path, raw[:len(raw)/2])
		}, "cut short"},
		"a store cut after its header": {func(t *testing.T, path string) {
			t.Helper()
			closedStore(t, path)
			putFile(t, path, fileOf(t, path)[:100])
		}, "cut short"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "skein.db")
			tt.make(t, path)
			before := files(t, dir)
			for _, beside := range []bool{false, true} {
				s, err := Open(t.Context(), Options{Path: path, Beside: beside})
				if err == nil {
					err = errors.Join(errors.New("it was opened"), s.Close())
				}
				if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("beside a server: %v: got error %v, want %q about %s", beside, err, tt.want, path)
				}
				if beside {
					continue // a running server has files beside it
				}
				for file, content := range files(t, dir) {
					if before[file] != content {
						t.Errorf("%s is different or new", file)
					}
				}
			}
		})
	}
}

// files returns the files of a directory and their content.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, e := range entries {
		all[e.Name()] = "a folder"
		if !e.IsDir() {
			all[e.Name()] = string(fileOf(t, filepath.Join(dir, e.Name())))
		}
	}
	return all
}

func fileOf(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func putFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run creates or changes the file as another program would.
func run(t *testing.T, path, sql string) {
	t.Helper()
	c, err := engine.OpenConn(path, sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE, sql)
	if err == nil {
		err = c.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// withLog is run by a program that was killed.
func withLog(t *testing.T, path, sql string) {
	t.Helper()
	aside := filepath.Join(t.TempDir(), "aside.db")
	c, err := engine.OpenConn(aside, sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE, sql)
	if err != nil {
		t.Fatal(err)
	}
	putFile(t, path, fileOf(t, aside))
	putFile(t, path+"-wal", fileOf(t, aside+"-wal"))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func closedStore(t *testing.T, path string) {
	t.Helper()
	s := newStore(t, Options{Path: path})
	newGroup(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAStoreThatSomebodyServesIsNotMigrated(t *testing.T) {
	path := fixture(t, "00001")
	if s, err := Open(t.Context(), Options{Path: path, Beside: true}); !errors.Is(err, schema.ErrOldSchema) {
		t.Fatalf("got %v, %v, want %v", s, err, schema.ErrOldSchema)
	}
	s := openStore(t, Options{Path: path})
	if _, err := s.App(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	beside := openStore(t, Options{Path: path, Beside: true})
	if _, err := beside.App(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	if id := fileOf(t, path); len(id) < 100 {
		t.Fatal("no header")
	}
}

func TestAMigratedStoreSaysWhoseItIs(t *testing.T) {
	for name, path := range map[string]string{"new": filepath.Join(t.TempDir(), "skein.db"), "of the first schema": fixture(t, "00001")} {
		s := openStore(t, Options{Path: path})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := string(fileOf(t, path)[68:72]); got != "Skei" {
			t.Errorf("%s: application id: got %q, want %q", name, got, "Skei")
		}
	}
}

// Before schema 13 a client that was created again stored the newest message_key of that
// moment, to tell the messages of the former holder of its id. Imported messages had a flag.
func TestTheReturnOfAClientBeforeIncarnationsIsCarriedOver(t *testing.T) {
	path := fixture(t, "00012")
	run(t, path, `UPDATE clients SET since = (SELECT min(message_key) FROM messages WHERE sender = 'tom') WHERE id = 'tom' AND app_key = (SELECT app_key FROM apps WHERE id = 'shop');
		UPDATE messages SET flags = flags | 8 WHERE message_key = (SELECT max(message_key) FROM messages);`)
	openStore(t, Options{Path: path})
	c, err := engine.OpenConn(path, sqlite3.OPEN_READWRITE, engine.Settings)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for what, sql := range map[string]string{
		"the client is another incarnation":  `SELECT incarnation = 2 AND rev = 1 FROM clients WHERE id = 'tom' AND app_key = (SELECT app_key FROM apps WHERE id = 'shop')`,
		"what it said before is the first's": `SELECT incarnation = 1 FROM messages WHERE message_key = (SELECT min(message_key) FROM messages WHERE sender = 'tom')`,
		"what it said since is its own":      `SELECT count(*) > 0 AND min(incarnation) = 2 FROM messages WHERE sender = 'tom' AND flags & 8 = 0 AND incarnation > 0 AND message_key > (SELECT min(message_key) FROM messages WHERE sender = 'tom')`,
		"others are the first incarnation":   `SELECT count(*) = 0 FROM messages WHERE sender <> 'tom' AND incarnation > 1`,
		"an imported one is nobody's":        `SELECT incarnation = 0 AND flags & 8 = 0 FROM messages WHERE message_key = (SELECT max(message_key) FROM messages)`,
	} {
		var ok bool
		if _, err := c.Row(func(r *sqlite3.Stmt) { ok = r.ColumnBool(0) }, sql); err != nil || !ok {
			t.Errorf("%s: got %v, %v", what, ok, err)
		}
	}
}

package sqlite

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

func TestALandedMigrationIsNeverEdited(t *testing.T) {
	raw, err := os.ReadFile("migrations/landed/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	landed := make(map[string]string)
	for line := range strings.Lines(string(raw)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		landed[name] = sum
	}
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) < len(landed) {
		t.Fatalf("%d migrations, %d have landed: a landed migration is never taken away; %v", len(files), len(landed), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		switch got, want := hex.EncodeToString(sum[:]), landed[filepath.Base(file)]; {
		case want == "":
			t.Errorf("%s: its sum is not in the list: run go generate ./internal/store/sqlite", file)
		case got != want:
			t.Errorf("%s: a landed migration is never edited: add one; got sum %s, want %s", file, got, want)
		}
	}
}

// fixture is a store as the binary of an older schema left it when it was killed.
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
	err := look(t.Context(), path, func(c *connection) error {
		have, err := c.schema()
		if err != nil {
			return err
		}
		for name := range have {
			table, ok := strings.CutPrefix(name, "table ")
			if !ok || table == "erasures" { // a server ends a small one within the call
				continue
			}
			if found, err := c.row(nil, `SELECT 1 FROM `+table); err != nil || !found {
				t.Errorf("table %s: no row, %v", table, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Every file that is refused is left as it was, to the byte, with nothing beside it.
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
					continue // a server that runs has its files beside it
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

// files are the names in a directory and what is in them.
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

// run makes or changes the file as another program does.
func run(t *testing.T, path, sql string) {
	t.Helper()
	c, err := openConnection(path, sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE, sql)
	if err == nil {
		err = c.close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// withLog is run by a program that did not end in order.
func withLog(t *testing.T, path, sql string) {
	t.Helper()
	aside := filepath.Join(t.TempDir(), "aside.db")
	c, err := openConnection(aside, sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE, sql)
	if err != nil {
		t.Fatal(err)
	}
	putFile(t, path, fileOf(t, aside))
	putFile(t, path+"-wal", fileOf(t, aside+"-wal"))
	if err := c.close(); err != nil {
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
	if s, err := Open(t.Context(), Options{Path: path, Beside: true}); !errors.Is(err, ErrOldSchema) {
		t.Fatalf("got %v, %v, want %v", s, err, ErrOldSchema)
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

func TestANewStoreIsAsTheMigrationsMakeIt(t *testing.T) {
	made, migrated := filepath.Join(t.TempDir(), "made.db"), filepath.Join(t.TempDir(), "migrated.db")
	if err := errors.Join(create(t.Context(), made), migrate(t.Context(), migrated)); err != nil {
		t.Fatal(err)
	}
	got, want := inside(t, made), inside(t, migrated)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for name, raw := range map[string][]byte{"made": fileOf(t, made), "migrated": fileOf(t, migrated)} {
		if raw[18] != 2 {
			t.Errorf("%s: it has no log", name)
		}
	}
}

// inside is what a new file defines and which migrations it says it has, in their order.
func inside(t *testing.T, path string) (all []string) {
	t.Helper()
	c, err := openConnection(path, sqlite3.OPEN_READONLY, ``)
	if err != nil {
		t.Fatal(err)
	}
	add := func(r *sqlite3.Stmt) { all = append(all, r.ColumnText(0)) }
	for _, sql := range []string{
		`SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema`,
		`SELECT 'migration ' || id || ': ' || version_id || ' ' || is_applied FROM goose_db_version`,
		`PRAGMA application_id`,
		`SELECT name || ' is ' || seq FROM sqlite_sequence ORDER BY name`,
	} {
		err = errors.Join(err, c.rows(add, sql))
	}
	if err := errors.Join(err, c.close()); err != nil {
		t.Fatal(err)
	}
	return all
}

func BenchmarkSchemaOf(b *testing.B) {
	newest, err := newestSchema()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		schemas.Clear()
		if _, err := schemaOf(newest); err != nil {
			b.Fatal(err)
		}
	}
}

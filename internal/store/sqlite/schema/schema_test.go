package schema

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

func fileOf(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
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

// inside returns what a new file defines and which migrations it records, in order.
func inside(t *testing.T, path string) (all []string) {
	t.Helper()
	c, err := engine.OpenConn(path, sqlite3.OPEN_READONLY, ``)
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
		err = errors.Join(err, c.Rows(add, sql))
	}
	if err := errors.Join(err, c.Close()); err != nil {
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

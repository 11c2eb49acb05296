// Package plans checks in tests how SQLite runs queries.
package plans

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// Plan is a query whose cost must not grow with the stored data, and how SQLite must run it.
type Plan struct {
	SQL   string
	Want  []string // steps, among others
	Sorts bool     // a few rows; others may not sort
}

// scansOfNothing removes steps from a plan that SQLite calls scans but that read no table: a row
// without a table, and a list in the query itself.
var scansOfNothing = strings.NewReplacer("SCAN CONSTANT ROW", "", "SCAN j VIRTUAL TABLE", "")

// Hold makes a new store and checks the plans on it.
func Hold(t *testing.T, all map[string]Plan) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "skein.db")
	if err := schema.Bring(t.Context(), schema.Options{Path: path, Now: time.Now, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	c, err := engine.OpenConn(path, sqlite3.OPEN_READONLY, engine.ReaderSettings)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range all {
		got := ""
		if err := c.Rows(func(r *sqlite3.Stmt) { got += r.ColumnText(3) + "\n" }, `EXPLAIN QUERY PLAN `+p.SQL); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range p.Want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: got plan\n%swant in it\n%s", name, got, want)
			}
		}
		if strings.Contains(scansOfNothing.Replace(got), "SCAN") {
			t.Errorf("%s: a scan in the plan\n%s", name, got)
		}
		if strings.Contains(got, "TEMP B-TREE") && !p.Sorts {
			t.Errorf("%s: a sort in the plan\n%s", name, got)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

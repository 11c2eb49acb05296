package copying

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/copying"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// anew are the tables and columns that begin anew in the other store, or that only this engine has.
var anew = []string{
	"goose_db_version", "sqlite_sequence", "backfill", "cuts", "departures", "events", "history", "leases", "pauses", "retries_0", "retries_1", "retries_2",
	"conversations.moved", "members.moved", "messages.message_key", "messages.retry", "changes.message_key", "webhooks.place",
}

// A column that a later migration adds must be copied, or named as one that begins anew.
func TestEveryColumnIsCopiedOrBeginsAnew(t *testing.T) {
	target, err := OpenTarget(t.Context(), schema.Options{Path: filepath.Join(t.TempDir(), "skein.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	copied := map[string]bool{"messages.uses": true, "messages.unknown": true, "changes.seq": true} // columns of other tables
	seen := map[string]bool{}
	err = target.Conn.Rows(func(r *sqlite3.Stmt) {
		table, column := r.ColumnText(0), r.ColumnText(1)
		name := table + "." + column
		seen[name] = true
		i := slices.IndexFunc(copying.Tables, func(c *copying.Table) bool { return c.Name == table })
		if !slices.Contains(anew, table) && !slices.Contains(anew, name) && (i < 0 || copying.Tables[i].At(column) < 0) {
			t.Errorf("%s is not in copying.Tables, nor does it begin anew", name)
		}
	}, `SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range copying.Tables {
		for _, c := range table.Columns {
			if name := table.Name + "." + c.Name; !seen[name] && !copied[name] {
				t.Errorf("%s is in copying.Tables and not in the schema", name)
			}
		}
	}
}

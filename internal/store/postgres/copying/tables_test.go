package copying

import (
	"os"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store/copying"
	"github.com/skein-im/skein/internal/store/postgres/pgtest"
)

var databases pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	databases.Stop()
	os.Exit(code)
}

// anew are the tables and columns that begin anew in the other store, or that only this engine has.
var anew = []string{
	"goose_db_version", "batches", "cuts", "departures", "events", "fed", "history", "leases", "nodes", "refill", "retries_0", "retries_1", "retries_2", "sessions",
	"conversations.moved", "members.moved", "erasures.xid", "upload_uses.seq", "webhooks.place",
}

// A column that a later migration adds must be copied, or named as one that begins anew.
func TestEveryColumnIsCopiedOrBeginsAnew(t *testing.T) {
	target, err := OpenTarget(t.Context(), databases.Empty(t), "a test")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	rows, err := target.conn.Query(t.Context(), `SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	copied := map[string]bool{"messages.uses": true, "messages.unknown": true} // columns of other tables
	seen := map[string]bool{}
	var table, column string
	_, err = pgx.ForEachRow(rows, []any{&table, &column}, func() error {
		name := table + "." + column
		seen[name] = true
		i := slices.IndexFunc(copying.Tables, func(c *copying.Table) bool { return c.Name == table })
		if !slices.Contains(anew, table) && !slices.Contains(anew, name) && (i < 0 || copying.Tables[i].At(column) < 0) {
			t.Errorf("%s is not in copying.Tables, nor does it begin anew", name)
		}
		return nil
	})
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

package sqlite

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// A new column is not exported or imported unless somebody decides so. This test asks for that
// decision.
func TestAnExportKnowsEveryColumn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skein.db")
	s, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	carried := map[string]string{ // columns that are exported and imported, and those that an import computes
		"apps":          "app_key id name keys token_secret settings created deleted",
		"clients":       "client_key app_key id ext created updated banned_until ban_reason cut device_cuts seen deleted add_by rev incarnation",
		"conversations": "conv_key app_key id type creator member_count mute_all last_seq last_change speaker spoke moved created updated active period ttl expires deleted extend roster_rev",
		"members":       "member_key conv_key app_key client_id role nickname joined join_seq muted_until read_seq received_seq sent_seq cleared_seq pinned muted archived draft moved adder unread_mark",
		"messages":      "message_key conv_key seq id sender client_msg_id retry content_hash type status flags created updated reply_to mentions url attr text version changed pinned reactions incarnation",
		"changes":       "conv_key change_seq kind message_key client_id at emoji on_off",
		"reactions":     "conv_key seq emoji client_id place incarnation",
		"hidden":        "conv_key client_id seq",
		"sanctions":     "conv_key app_key client_id banned_until muted_until",
		"uploads":       "upload_key app_key name client_id created size title kept due",
	}
	// These are derived, or belong to the store itself or to the installation.
	derived := "mentions private_pairs upload_uses departures erasures cuts storage removals backfill history pauses retries_0 retries_1 retries_2 unknown_fields goose_db_version events leases operators audit webhooks webhook_failures webhook_attempts word_lists app_usage key_uses"
	err = tx.Read(t.Context(), s.db, "", func(c connection) error {
		var tables []string
		if err := c.Rows(func(r *sqlite3.Stmt) { tables = append(tables, r.ColumnText(0)) },
			`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`); err != nil {
			return err
		}
		for _, table := range tables {
			if slices.Contains(strings.Fields(derived), table) {
				continue
			}
			known, ok := carried[table]
			if !ok {
				t.Errorf("table %s: is it exported and imported? Say so here", table)
			}
			if err := c.Rows(func(r *sqlite3.Stmt) {
				if !slices.Contains(strings.Fields(known), r.ColumnText(0)) {
					t.Errorf("column %s of %s: is it exported and imported? Say so here", r.ColumnText(0), table)
				}
			}, `SELECT name FROM pragma_table_info(?1)`, table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

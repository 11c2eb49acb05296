package sqlite

import (
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// The queries whose cost must not grow with what lies stored, and how SQLite
// means to run them.
func TestPlans(t *testing.T) {
	s := newStore(t, Options{})
	listing := func(member string, where ...skein.Condition) string {
		search := newSearch("app", member, where, 1)
		search.after(skein.Cursor{Sort: 1, Tie: 1})
		return `SELECT ` + conversationColumns + ` FROM ` + search.from + ` WHERE ` + search.sql() + byActivity + ` LIMIT 20`
	}
	again := recheck("app", []skein.Condition{{Field: skein.FieldMember, Op: skein.Eq, Values: []any{"ann"}}}, []int64{1, 2}, 1)
	counting := newSearch("app", "", nil, 1)
	for name, tt := range map[string]struct {
		sql   string
		want  []string
		sorts bool // of few rows
	}{
		"a page up":   {sql: messagesUp, want: []string{"SEARCH messages USING INDEX sqlite_autoindex_messages_2 (conv_key=? AND seq>? AND seq<?)"}},
		"a page down": {sql: messagesDown, want: []string{"SEARCH messages USING INDEX sqlite_autoindex_messages_2 (conv_key=? AND seq>? AND seq<?)"}},
		"all conversations": {sorts: true, sql: listing(""), want: []string{
			"SEARCH c USING INDEX conversations_by_activity (app_key=? AND period<?)",
			"USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY", // of those active in the same period
		}},
		"count of all conversations": {sql: `SELECT count(*) FROM ` + counting.from + ` WHERE ` + counting.sql(), want: []string{
			"SEARCH c USING COVERING INDEX conversations_by_activity (app_key=?)",
		}},
		"one's own conversations": {sorts: true, sql: listing("ann"), want: []string{
			"SEARCH m USING COVERING INDEX members_by_client (app_key=? AND client_id=?)",
			"SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
		}},
		"by id": {sorts: true, sql: listing("", skein.Condition{Field: skein.FieldConvID, Values: []any{skein.ID{}.String()}}), want: []string{
			"SEARCH c USING INDEX sqlite_autoindex_conversations_1 (app_key=? AND id=?)",
		}},
		"the list of a client": {sorts: true, sql: nextViews, want: []string{
			"SEARCH m USING INDEX members_by_client (app_key=? AND client_id=?)",
			"SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
		}},
		"mentions": {sql: mentionsOf, want: []string{
			"SEARCH mentions USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
			"SEARCH n USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
			"SEARCH h USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
		}},
		"what is unread in all": {sql: unreadCounts, want: []string{
			"SEARCH m USING INDEX members_by_client (app_key=? AND client_id=?)",
			"SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
			"SEARCH messages USING INDEX messages_blank (conv_key=? AND seq>?)",
			"SEARCH h USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
			"SEARCH mentions USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
			"SEARCH n USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
		}},
		"a first sync": {sql: syncAll, want: []string{
			"SEARCH m USING COVERING INDEX members_by_client (app_key=? AND client_id=? AND conv_key>?)",
		}},
		"a sync of what memory does not know": {sorts: true, sql: syncByRows, want: []string{
			"SEARCH members USING COVERING INDEX members_by_move (app_key=? AND client_id=? AND moved>?)",
			"SEARCH departures USING COVERING INDEX departures_by_move (app_key=? AND client_id=? AND moved>?)",
			"SEARCH m USING COVERING INDEX members_by_client (app_key=? AND client_id=? AND conv_key>?)",
			"SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
		}},
		"a sync of the client's own": {sorts: true, sql: syncMine, want: []string{
			"SEARCH members USING COVERING INDEX members_by_move (app_key=? AND client_id=? AND moved>?)",
			"SEARCH departures USING COVERING INDEX departures_by_move (app_key=? AND client_id=? AND moved>?)",
		}},
		"the memberships of a client": {sql: allMine, want: []string{
			"SEARCH members USING COVERING INDEX members_by_client (app_key=? AND client_id=? AND conv_key>?)",
		}},
		"audience": {sql: audience, want: []string{"SEARCH m USING COVERING INDEX members_by_joining (conv_key=?)"}},
		"what is hidden of a page": {sql: hiddenBetween, want: []string{
			"SEARCH hidden USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>? AND seq<?)",
		}},
		"from whom a message is hidden": {sql: hiders, want: []string{
			"SEARCH hidden USING COVERING INDEX hidden_by_message (conv_key=? AND seq=?)",
		}},
		"a page of the log": {sql: changesAfter, want: []string{
			"SEARCH l USING PRIMARY KEY (conv_key=? AND change_seq>?)",
			"SEARCH m USING INTEGER PRIMARY KEY (rowid=?)",
			"SEARCH h USING PRIMARY KEY (conv_key=? AND client_id=? AND seq=?)",
		}},
		"pins": {sql: pinned, want: []string{"SEARCH m USING INDEX messages_pinned (conv_key=? AND pinned>?)"}},
		"the first to react": {sql: firstToReact, want: []string{
			"SEARCH reactions USING COVERING INDEX reactions_by_place (conv_key=? AND seq=? AND emoji=?)",
		}},
		"what an update looks at again": {sql: `SELECT c.conv_key, c.id FROM ` + again.from + ` WHERE ` + again.sql(), want: []string{
			"SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
			"SEARCH x EXISTS USING COVERING INDEX sqlite_autoindex_members_1 (conv_key=? AND client_id=?)",
		}},
		"messages to erase": {sql: eraseIn, want: []string{
			"SEARCH m USING INDEX sqlite_autoindex_messages_2 (conv_key=? AND seq>?)",
			"SEARCH r USING PRIMARY KEY (conv_key=? AND seq=? AND emoji=? AND client_id=?)",
		}},
		"the next conversation to erase in": {sql: eraseNext, want: []string{
			"SEARCH conversations USING COVERING INDEX sqlite_autoindex_conversations_1 (app_key=? AND id>?)",
		}},
		"whether it may be a retry": {sql: retryClaim[1], want: []string{"SEARCH retries_0 USING INTEGER PRIMARY KEY (rowid=?)"}},
		"a retry":                   {sql: firstMessage, want: []string{"SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)"}},
	} {
		got := plan(t, s, tt.sql)
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: got plan\n%swant in it\n%s", name, got, want)
			}
		}
		if strings.Contains(scansOfNothing.Replace(got), "SCAN") {
			t.Errorf("%s: a scan in the plan\n%s", name, got)
		}
		if strings.Contains(got, "TEMP B-TREE") && !tt.sorts {
			t.Errorf("%s: a sort in the plan\n%s", name, got)
		}
	}
}

// scansOfNothing takes out of a plan what is called a scan and is none: of a row
// without a table, and of a list that the query itself holds.
var scansOfNothing = strings.NewReplacer("SCAN CONSTANT ROW", "", "SCAN j VIRTUAL TABLE", "")

func plan(t *testing.T, s *Store, sql string) (steps string) {
	t.Helper()
	err := s.read(t.Context(), "", func(c *connection) error {
		return c.rows(func(r *sqlite3.Stmt) { steps += r.ColumnText(3) + "\n" }, `EXPLAIN QUERY PLAN `+sql)
	})
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

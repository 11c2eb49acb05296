package query

import (
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/schema/plans"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

func TestPlans(t *testing.T) {
	listing := func(member string, where ...skein.Condition) string {
		search := newSearch("app", member, where, 1)
		search.after(skein.Cursor{Sort: 1, Tie: 1})
		return `SELECT ` + tx.ConversationColumns + ` FROM ` + search.from + ` WHERE ` + search.SQL() + byActivity + ` LIMIT 20`
	}
	again := recheck("app", []skein.Condition{{Field: skein.FieldMember, Op: skein.Eq, Values: []any{"ann"}}}, []int64{1, 2}, 1)
	counting := newSearch("app", "", nil, 1)
	plans.Hold(t, map[string]plans.Plan{
		"all conversations": {Sorts: true, SQL: listing(""), Want: []string{
			"SEARCH c USING INDEX conversations_by_activity (app_key=? AND period<?)",
			"USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY", // of those active in the same period
		}},
		"count of all conversations": {SQL: `SELECT count(*) FROM ` + counting.from + ` WHERE ` + counting.SQL(), Want: []string{
			"SEARCH c USING COVERING INDEX conversations_by_activity (app_key=?)",
		}},
		"one's own conversations": {Sorts: true, SQL: listing("ann"), Want: []string{
			"SEARCH m USING COVERING INDEX members_by_client (app_key=? AND client_id=?)",
			"SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
		}},
		"by id": {Sorts: true, SQL: listing("", skein.Condition{Field: skein.FieldConvID, Values: []any{skein.ID{}.String()}}), Want: []string{
			"SEARCH c USING INDEX sqlite_autoindex_conversations_1 (app_key=? AND id=?)",
		}},
		"what an update looks at again": {SQL: `SELECT c.conv_key, c.id FROM ` + again.from + ` WHERE ` + again.SQL(), Want: []string{
			"SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
			"SEARCH x EXISTS USING COVERING INDEX sqlite_autoindex_members_1 (conv_key=? AND client_id=?)",
		}},
	})
}

package inbox

import (
	"testing"

	"github.com/skein-im/skein/internal/store/sqlite/schema/plans"
)

func TestPlans(t *testing.T) {
	plans.Hold(t, map[string]plans.Plan{
		"the list of a client": {Sorts: true, SQL: nextViews, Want: []string{
			"SEARCH m USING INDEX members_by_client (app_key=? AND client_id=?)",
			"SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
		}},
		"mentions": {SQL: mentionsOf, Want: []string{
			"SEARCH mentions USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
			"SEARCH n USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
			"SEARCH h USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
		}},
		"what is unread in all": {SQL: unreadCounts, Want: []string{
			"SEARCH m USING INDEX members_by_client (app_key=? AND client_id=?)",
			"SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
			"SEARCH messages USING INDEX messages_blank (conv_key=? AND seq>?)",
			"SEARCH h USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
			"SEARCH mentions USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
			"SEARCH n USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>?)",
		}},
		"a first sync": {SQL: syncAll, Want: []string{
			"SEARCH m USING COVERING INDEX members_by_client (app_key=? AND client_id=? AND conv_key>?)",
		}},
		"a sync of what memory does not know": {Sorts: true, SQL: syncByRows, Want: []string{
			"SEARCH members USING COVERING INDEX members_by_move (app_key=? AND client_id=? AND moved>?)",
			"SEARCH departures USING COVERING INDEX departures_by_move (app_key=? AND client_id=? AND moved>?)",
			"SEARCH m USING COVERING INDEX members_by_client (app_key=? AND client_id=? AND conv_key>?)",
			"SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
		}},
		"a sync of the client's own": {Sorts: true, SQL: syncMine, Want: []string{
			"SEARCH members USING COVERING INDEX members_by_move (app_key=? AND client_id=? AND moved>?)",
			"SEARCH departures USING COVERING INDEX departures_by_move (app_key=? AND client_id=? AND moved>?)",
		}},
		"the memberships of a client": {SQL: allMine, Want: []string{
			"SEARCH members USING COVERING INDEX members_by_client (app_key=? AND client_id=? AND conv_key>?)",
		}},
	})
}

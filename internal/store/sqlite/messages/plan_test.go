package messages

import (
	"testing"

	"github.com/skein-im/skein/internal/store/sqlite/schema/plans"
)

func TestPlans(t *testing.T) {
	plans.Hold(t, map[string]plans.Plan{
		"a page up":   {SQL: messagesUp, Want: []string{"SEARCH messages USING INDEX sqlite_autoindex_messages_2 (conv_key=? AND seq>? AND seq<?)"}},
		"a page down": {SQL: messagesDown, Want: []string{"SEARCH messages USING INDEX sqlite_autoindex_messages_2 (conv_key=? AND seq>? AND seq<?)"}},
		"what is hidden of a page": {SQL: hiddenBetween, Want: []string{
			"SEARCH hidden USING PRIMARY KEY (conv_key=? AND client_id=? AND seq>? AND seq<?)",
		}},
		"from whom a message is hidden": {SQL: hiders, Want: []string{
			"SEARCH hidden USING COVERING INDEX hidden_by_message (conv_key=? AND seq=?)",
		}},
		"a page of the log": {SQL: changesAfter, Want: []string{
			"SEARCH l USING PRIMARY KEY (conv_key=? AND change_seq>?)",
			"SEARCH m USING INTEGER PRIMARY KEY (rowid=?)",
			"SEARCH h USING PRIMARY KEY (conv_key=? AND client_id=? AND seq=?)",
		}},
		"pins": {SQL: pinned, Want: []string{"SEARCH m USING INDEX messages_pinned (conv_key=? AND pinned>?)"}},
		"the first to react": {SQL: firstToReact, Want: []string{
			"SEARCH reactions USING COVERING INDEX reactions_by_place (conv_key=? AND seq=? AND emoji=?)",
		}},
		"messages to erase": {SQL: eraseIn, Want: []string{
			"SEARCH m USING INDEX sqlite_autoindex_messages_2 (conv_key=? AND seq>?)",
			"SEARCH r USING PRIMARY KEY (conv_key=? AND seq=? AND emoji=? AND client_id=?)",
		}},
		"the next conversation to erase in": {SQL: eraseNext, Want: []string{
			"SEARCH conversations USING COVERING INDEX sqlite_autoindex_conversations_1 (app_key=? AND id>?)",
		}},
		"a retry": {SQL: firstMessage, Want: []string{"SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)"}},
	})
}

package sqlite

import (
	"encoding/json"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// reactionsColumn reads the summary of a message's reactions. One that cannot be
// read is none: the message is worth more.
func reactionsColumn(r *sqlite3.Stmt, col int) []skein.Reaction {
	raw := r.ColumnRawText(col)
	if len(raw) == 0 {
		return nil
	}
	var list []skein.Reaction
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil
	}
	return list
}

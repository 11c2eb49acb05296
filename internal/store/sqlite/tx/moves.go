package tx

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/moves"
)

// Move runs a statement that may set the stamp of conversations and ends with
// ReturningMoves. It notes the conversations that have the stamp now, and returns the number
// of rows. Every statement that sets a stamp must go through Move or Note (TestSQLite checks
// it).
func (g *Group) Move(sql string, args ...any) (n int, err error) {
	err = g.Rows(func(r *sqlite3.Stmt) {
		if r.ColumnInt64(2) == g.Stamp {
			g.Note(r.ColumnInt64(0), r.ColumnInt64(1))
		}
		n++
	}, sql, args...)
	return n, err
}

// ReturningMoves ends a statement for Move.
const ReturningMoves = ` RETURNING app_key, conv_key, moved`

// Note records that a conversation moves with this commit.
func (g *Group) Note(app, conv int64) {
	g.moved = append(g.moved, moves.Move{App: app, Conv: conv, Stamp: g.Stamp})
}

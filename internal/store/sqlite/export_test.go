package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Statements are the texts of the statements that the store has kept so far, and how
// often each was prepared anew since; none when the store is closed.
func (s *Store) Statements() map[string]int { return s.db.Engine().Statements(context.Background()) }

// Plan is how SQLite means to run a statement, a line a step.
func (s *Store) Plan(sql string) (steps []string, err error) {
	err = tx.Read(context.Background(), s.db, "", func(c connection) error {
		return c.Rows(func(r *sqlite3.Stmt) { steps = append(steps, r.ColumnText(3)) }, `EXPLAIN QUERY PLAN `+sql)
	})
	return steps, err
}

// ForgottenMoves are the conversations that moved in this process and that memory
// does not know to have moved then; none when the store is closed.
func (s *Store) ForgottenMoves() (convs []int64) {
	err := tx.Change(context.Background(), s.db, func(g group) error {
		m := s.db.Moves
		return g.Rows(func(r *sqlite3.Stmt) {
			conv, stamp := r.ColumnInt64(0), r.ColumnInt64(1)
			one := []int64{conv}
			if then, known := m.Moved(stamp-1, one, 1); known && len(then) == 0 {
				convs = append(convs, conv)
			} else if later, _ := m.Moved(stamp, one, 1); len(later) > 0 {
				convs = append(convs, conv)
			}
		}, `SELECT conv_key, moved FROM conversations`)
	})
	if err != nil {
		return nil
	}
	return convs
}

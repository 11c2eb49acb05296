package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Statements returns the statements that the store keeps, and how often each was prepared again.
// A closed store has none.
func (s *Store) Statements() map[string]int { return s.db.Engine().Statements(context.Background()) }

// Plan returns how SQLite will run a statement, one line for each step.
func (s *Store) Plan(sql string) (steps []string, err error) {
	err = tx.Read(context.Background(), s.db, "", func(c connection) error {
		return c.Rows(func(r *sqlite3.Stmt) { steps = append(steps, r.ColumnText(3)) }, `EXPLAIN QUERY PLAN `+sql)
	})
	return steps, err
}

// ForgottenMoves returns the conversations that moved in this process although the memory of
// moves lacks that move. A closed store has none.
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

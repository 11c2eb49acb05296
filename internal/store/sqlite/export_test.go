package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"
)

// Statements are the texts of the statements that the store has kept so far, and how
// often each was prepared anew since; none when the store is closed.
func (s *Store) Statements() map[string]int { return s.engine.Statements(context.Background()) }

// Plan is how SQLite means to run a statement, a line a step.
func (s *Store) Plan(sql string) (steps []string, err error) {
	err = s.read(context.Background(), "", func(c *connection) error {
		return c.rows(func(r *sqlite3.Stmt) { steps = append(steps, r.ColumnText(3)) }, `EXPLAIN QUERY PLAN `+sql)
	})
	return steps, err
}

// ForgottenMoves are the conversations that moved in this process and that memory
// does not know to have moved then; none when the store is closed.
func (s *Store) ForgottenMoves() (convs []int64) {
	err := s.change(context.Background(), func(g *group) error {
		m := s.writer.moves
		m.mu.RLock()
		defer m.mu.RUnlock()
		return g.rows(func(r *sqlite3.Stmt) {
			if known := m.all[r.ColumnInt64(0)]; known == nil || known.stamp != r.ColumnInt64(1) {
				convs = append(convs, r.ColumnInt64(0))
			}
		}, `SELECT conv_key, moved FROM conversations WHERE moved > ?1`, m.floor)
	})
	if err != nil {
		return nil
	}
	return convs
}

package sqlite

import (
	"context"
	"fmt"

	"github.com/ncruces/go-sqlite3"
	dto "github.com/prometheus/client_model/go"
)

// Statements are the texts of the statements that the store has kept so far, and how
// often each was prepared anew since; none when the store is closed.
func (s *Store) Statements() map[string]int {
	all := make(map[string]int)
	keep := func(c *connection) {
		for sql, stmt := range c.prepared {
			all[sql] += stmt.Status(sqlite3.STMTSTATUS_REPREPARE, false)
		}
	}
	ctx := context.Background()
	err := s.change(ctx, func(g *group) error {
		keep(g.connection)
		return nil
	})
	if err != nil {
		return nil
	}
	for _, set := range []*readers{s.callers, s.readers, s.searchers} {
		for i := range set.size {
			app := fmt.Sprint(i) // an app may not hold all
			c, err := set.acquire(ctx, app)
			if err != nil {
				return nil
			}
			defer set.release(c, app, 0)
			keep(c)
		}
	}
	return all
}

// ran is how many jobs the writer has run.
func (s *Store) ran() int {
	var m dto.Metric
	if err := s.metrics.jobs.Write(&m); err != nil {
		return 0
	}
	return int(m.GetHistogram().GetSampleSum())
}

// Plan is how SQLite means to run a statement, a line a step.
func (s *Store) Plan(sql string) (steps []string, err error) {
	err = s.readers.do(context.Background(), func(c *connection) error {
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

package sqlite

import (
	"context"
	"maps"
	"slices"

	"github.com/ncruces/go-sqlite3"
)

// Statements are the texts of the statements that the store has kept so far; none
// when it is closed.
func (s *Store) Statements() []string {
	all := make(map[string]bool)
	keep := func(c *connection) {
		for sql := range maps.Keys(c.prepared) {
			all[sql] = true
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
	for range cap(s.readers.idle) {
		c, err := s.readers.acquire(ctx)
		if err != nil {
			return nil
		}
		defer s.readers.release(c)
		keep(c)
	}
	return slices.Collect(maps.Keys(all))
}

// Plan is how SQLite means to run a statement, a line a step.
func (s *Store) Plan(sql string) (steps []string, err error) {
	err = s.readers.do(context.Background(), func(c *connection) error {
		return c.rows(func(r *sqlite3.Stmt) { steps = append(steps, r.ColumnText(3)) }, `EXPLAIN QUERY PLAN `+sql)
	})
	return steps, err
}

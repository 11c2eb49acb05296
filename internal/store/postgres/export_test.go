package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// ForgetMoves empties the node's memory of which conversations moved, as a restart does.
func (s *Store) ForgetMoves() { s.db.Moves = tx.NewMoves() }

// Prepared is a statement that a connection keeps, and how often it was run with a plan of its own
// and with the one that is kept.
type Prepared struct {
	Statement    string
	Custom, Kept int
}

// PreparedStatements are those of a connection of the pool.
func (s *Store) PreparedStatements(ctx context.Context) (all []Prepared, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, `SELECT statement, custom_plans, generic_plans FROM pg_prepared_statements`)
		if err == nil {
			all, err = pgx.CollectRows(found, pgx.RowToStructByPos[Prepared])
		}
		return err
	})
	return all, err
}

package purge

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// grown are the tables that have grown to a multiple of what the planner's statistics know.
// These decide whether a statement goes straight to its row or reads the index of a whole app.
// Autovacuum renews them about once a minute, which is too late for a table that grows from
// nothing: PostgreSQL keeps the plans that it made for the empty table until it is analysed.
const grown = `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
	AND pg_stat_get_mod_since_analyze(oid) >= greatest(500, 4 * reltuples) AND pg_has_role(relowner, 'USAGE')`

// analyse renews the statistics of the tables that have grown.
func (s *Store) analyse(ctx context.Context) error {
	return s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, grown)
		if err != nil {
			return err
		}
		tables, err := pgx.CollectRows(found, pgx.RowTo[string])
		if err != nil || len(tables) == 0 {
			return err
		}
		for i, table := range tables {
			tables[i] = pgx.Identifier{table}.Sanitize()
		}
		_, err = c.Exec(ctx, `ANALYZE (SKIP_LOCKED) `+strings.Join(tables, ", ")) // those that autovacuum has at hand are skipped
		return err
	})
}

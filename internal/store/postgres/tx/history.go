package tx

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store/postgres/engine"
)

// lostIDs is added to all stamps after a crash or a promotion. A transaction of which nothing is
// logged leaves no trace, such as one that writes only tables of sessions, so its id may be
// given again: at most the ids of the last seconds. This is many times as many.
const lostIDs = 1 << 24

// Refill writes the row of refill if it is missing, and raises all stamps then: PostgreSQL has
// crashed or was promoted. Until lease is over nobody is said to have ended its last session.
// clock is nil for the database's clock.
func Refill(ctx context.Context, t engine.Conn, clock *int64, lease time.Duration) error {
	lost, err := t.Exec(ctx, `INSERT INTO refill (until) VALUES (clock($1) + $2) ON CONFLICT DO NOTHING`, clock, lease.Milliseconds())
	if err == nil && lost.RowsAffected() > 0 {
		_, err = t.Exec(ctx, `UPDATE history SET base = base + $1`, int64(lostIDs))
	}
	return err
}

// EpochColumns are what ReadEpoch scans: the epoch that is stored, and what makes another history
// of the same rows. A restored copy of the files has another timeline than the original, as
// has a promoted standby, and a new cluster has another system identifier. The name of the
// write-ahead log's file begins with the timeline.
const EpochColumns = `(SELECT epoch FROM history), (SELECT system_identifier FROM pg_control_system()), substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)`

// ReadEpoch scans a row whose last columns are EpochColumns. Cursors of another epoch are of
// another history. It is a number above zero that JSON holds exactly.
func ReadEpoch(row pgx.Row, before ...any) (epoch int64, err error) {
	var stored, system int64
	var timeline string
	if err := row.Scan(append(before, &stored, &system, &timeline)...); err != nil {
		return 0, err
	}
	return epochOf(stored, system, timeline), nil
}

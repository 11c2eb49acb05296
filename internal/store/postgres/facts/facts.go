// Package facts reads from a database what tells whether Skein can rely on it. It judges nothing.
package facts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store/postgres/engine"
)

// Facts are what a database says of itself.
type Facts struct {
	Version   int               // such as 150004
	Settings  map[string]string // of the server, in its units
	Schema    int64             // zero: the database is empty
	Newest    int64             // schema that this binary knows
	Migration engine.Migration

	SeesAll     bool     // this user sees what other users do
	Others      []string // other databases on the server that are not its own
	Prepared    int      // prepared transactions of all databases
	OldestWrite time.Duration
	OldestBy    string // who has that transaction open
	Standbys    int    // connected
	Synchronous int    // of these, synchronous ones
	IdleSlots   []string
	Age         int64          // of the oldest transaction id that is not frozen
	Bloated     []string       // tables of which a fifth is dead and that are not vacuumed
	Connections int            // of all users
	Nodes       map[string]int // connections of nodes by application_name
	Leases      int            // nodes that hold a lease
	Pool        int            // connections of the pool of a node
	Clock       time.Duration  // how far the database's clock is ahead
	Trip        time.Duration  // round trip
	Bytes       int64          // of the database
	DataDir     string         // empty: this user may not know it
}

// settings are those that are judged.
var settings = []string{
	"synchronous_commit", "fsync", "full_page_writes", "data_checksums", "synchronous_standby_names", "max_prepared_transactions", "max_connections",
	"superuser_reserved_connections", "idle_in_transaction_session_timeout", "statement_timeout", "autovacuum", "track_counts",
}

// Read connects to a database and asks. It changes nothing.
func Read(ctx context.Context, url string) (f Facts, err error) {
	config, _, err := engine.Parse(url)
	if err != nil {
		return f, err
	}
	f.Pool = engine.PoolOf(url)
	config.ConnConfig.RuntimeParams["application_name"] = "skein doctor"
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	c, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return f, fmt.Errorf("connect: %w", err)
	}
	defer c.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost with it
	if f.Schema, f.Newest, err = engine.Schemas(ctx, c); err != nil {
		return f, err
	}
	if f.Migration, err = engine.Migrating(ctx, c); err != nil {
		return f, err
	}
	if err := f.clock(ctx, c); err != nil {
		return f, err
	}
	return f, errors.Join(f.settings(ctx, c), f.activity(ctx, c), f.upkeep(ctx, c))
}

// clock compares the clocks, by the shortest of some round trips.
func (f *Facts) clock(ctx context.Context, c *pgx.Conn) error {
	for range 5 {
		began := time.Now()
		var at time.Time
		if err := c.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&at); err != nil {
			return err
		}
		if trip := time.Since(began); f.Trip == 0 || trip < f.Trip {
			f.Trip, f.Clock = trip, at.Sub(began.Add(trip/2))
		}
	}
	return nil
}

func (f *Facts) settings(ctx context.Context, c *pgx.Conn) error {
	f.Settings = map[string]string{}
	rows, err := c.Query(ctx, `SELECT name, setting FROM pg_settings WHERE name = ANY($1)`, settings)
	if err != nil {
		return err
	}
	var name, value string
	if _, err := pgx.ForEachRow(rows, []any{&name, &value}, func() error { f.Settings[name] = value; return nil }); err != nil {
		return err
	}
	err = c.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, pg_database_size(current_database()),
		pg_has_role('pg_read_all_stats', 'USAGE')`).Scan(&f.Version, &f.Bytes, &f.SeesAll)
	if err == nil {
		_ = c.QueryRow(ctx, `SHOW data_directory`).Scan(&f.DataDir) // not everybody may know it
	}
	return err
}

func (f *Facts) activity(ctx context.Context, c *pgx.Conn) error {
	var oldest float64
	err := c.QueryRow(ctx, `SELECT
		ARRAY(SELECT datname::text FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname NOT IN ('postgres', current_database()) ORDER BY 1),
		(SELECT count(*) FROM pg_prepared_xacts),
		(SELECT count(*) FROM pg_stat_replication), (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')),
		(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
		ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE NOT active)`).
		Scan(&f.Others, &f.Prepared, &f.Standbys, &f.Synchronous, &f.Connections, &f.IdleSlots)
	if err != nil {
		return err
	}
	err = c.QueryRow(ctx, `SELECT extract(epoch FROM clock_timestamp() - xact_start)::float8,
		format('pid %s of %s in %s (%s, %s)', pid, usename, datname, application_name, state)
		FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1`).Scan(&oldest, &f.OldestBy)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	f.OldestWrite = time.Duration(oldest * float64(time.Second))
	if err != nil {
		return err
	}
	f.Nodes = map[string]int{}
	rows, err := c.Query(ctx, `SELECT application_name, count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND (application_name = 'skein' OR application_name LIKE 'skein %') AND pid <> pg_backend_pid() GROUP BY 1`)
	if err != nil {
		return err
	}
	var name string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error { f.Nodes[name] = n; return nil }); err != nil || f.Schema == 0 {
		return err
	}
	return c.QueryRow(ctx, `SELECT count(*) FROM nodes WHERE until > clock(NULL) AND NOT gone`).Scan(&f.Leases)
}

// upkeep looks at what vacuum has to do. Small tables do not count.
func (f *Facts) upkeep(ctx context.Context, c *pgx.Conn) error {
	return c.QueryRow(ctx, `SELECT (SELECT max(age(datfrozenxid))::bigint FROM pg_database WHERE datallowconn),
		ARRAY(SELECT relname::text FROM pg_stat_user_tables WHERE n_dead_tup > 100000 AND n_dead_tup > n_live_tup / 4
			AND coalesce(last_autovacuum, last_vacuum, 'epoch') < now() - interval '1 hour' ORDER BY 1)`).Scan(&f.Age, &f.Bloated)
}

package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/skein-im/skein/internal/store/postgres/migrations"
)

// ErrOldSchema is about a database that a running server serves, and that a newer binary
// would have to migrate.
var ErrOldSchema = errors.New("the running server keeps an older schema: restart it with this version first")

// schemaLock is the advisory lock under which the schema is looked at and changed, so that
// any number of nodes may start at once. It is a pair of numbers, and conversations are locked
// by one number: they cannot meet. A transaction holds it, since a pooler may give a session to
// others between two transactions.
const schemaLock = `BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
	SELECT pg_advisory_xact_lock(1936418153, 0)`

// bring brings the schema up to date, unless it is newer and says that this binary may work
// on it all the same: during a rolling upgrade the older release runs beside the newer.
func (e *Engine) bring(ctx context.Context, beside bool, newest int64) (err error) {
	config := e.config.Copy()
	if err := e.health.direct(ctx, config); err != nil {
		return err
	}
	if len(e.local) == 0 { // a migration may take long
		config.RuntimeParams["statement_timeout"] = "0"
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return Unavailable("connect", err)
	}
	// Closing the connection gives the lock back.
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if _, err := conn.PgConn().Exec(ctx, schemaLock).ReadAll(); err != nil {
		return fmt.Errorf("lock the schema: %w", err)
	}
	have, err := version(ctx, conn)
	if err != nil {
		return err
	}
	switch {
	case have > newest:
		return mayServe(ctx, conn, have, newest)
	case have == newest:
		return nil
	case beside && have > 0:
		return ErrOldSchema
	}
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	steps, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files)
	if err == nil {
		_, err = steps.Up(ctx)
	}
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// newestSchema is the version that the migrations lead to.
func newestSchema() (newest int64, err error) {
	files, err := migrations.Files.ReadDir(".")
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		var version int64
		if _, err := fmt.Sscanf(f.Name(), "%d_", &version); err != nil {
			return 0, fmt.Errorf("%s: %w", f.Name(), err)
		}
		newest = max(newest, version)
	}
	return newest, nil
}

// version is the schema's; zero: the database is empty.
func version(ctx context.Context, conn *pgx.Conn) (version int64, err error) {
	var tables int
	var ours, versioned bool
	err = conn.QueryRow(ctx, `SELECT count(*), coalesce(bool_or(tablename = 'history'), false), coalesce(bool_or(tablename = 'goose_db_version'), false)
		FROM pg_tables WHERE schemaname = current_schema()`).Scan(&tables, &ours, &versioned)
	switch {
	case err != nil:
		return 0, fmt.Errorf("look at the schema: %w", err)
	case tables == 0:
		return 0, nil
	case versioned && !ours && tables == 1:
		return 0, nil // an earlier start was ended in its first migration
	case !ours || !versioned:
		return 0, errors.New("the database holds the tables of another program: give Skein one of its own")
	}
	err = conn.QueryRow(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&version)
	return version, err
}

// mayServe refuses a schema that is newer than this binary knows and not marked as one that
// such a binary may work on.
func mayServe(ctx context.Context, conn *pgx.Conn, have, newest int64) error {
	var least int64
	if err := conn.QueryRow(ctx, `SELECT least_binary FROM history`).Scan(&least); err != nil {
		return fmt.Errorf("look at the schema: %w", err)
	}
	if least > newest {
		return fmt.Errorf("the database has schema version %d, and this skein knows none newer than %d: run the version that wrote it, or a later one", have, newest)
	}
	return nil
}

// Schemas are the version of a database's schema, zero for an empty one, and the newest that this binary knows.
func Schemas(ctx context.Context, conn *pgx.Conn) (have, newest int64, err error) {
	if newest, err = newestSchema(); err != nil {
		return 0, 0, err
	}
	have, err = version(ctx, conn)
	return have, newest, err
}

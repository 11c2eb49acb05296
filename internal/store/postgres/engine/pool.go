package engine

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/skein-im/skein/internal/share"
)

// The apps share the connections of the pool; see share.Places. Each call says whose it is: the id
// of its app, or of nobody ("") for the chores of the server, which have a share as an app has.

// poolWeight is how many times as many connections an app may have as are free: 12 of 16. An app
// that is alone loses a quarter, and not half: the pool's transactions mostly wait for the
// network and for syncs, so their number bounds the rate.
const poolWeight = 3

// lend gives an app a connection of the pool.
func (e *Engine) lend(ctx context.Context, app string, q *share.Queue, use func(*pgxpool.Conn) error) error {
	defer share.Pause(ctx).Resume()
	if err := e.places.Enter(ctx, app, q); err != nil {
		return err
	}
	start := time.Now()
	defer func() { e.places.Leave(app, time.Since(start), q) }()
	c, err := e.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	if t := trackedOf(c.Conn()); t != nil {
		before := t.sent.Load()
		defer func() { e.Metrics.trips.Add(float64(t.sent.Load() - before)) }()
	}
	return use(c)
}

// Conn runs statements: a transaction's, or each on its own.
type Conn interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Each gives fn a connection on which each statement is a transaction of its own.
func (e *Engine) Each(ctx context.Context, app string, fn func(context.Context, Conn) error) error {
	return Unavailable("read", e.lend(ctx, app, e.Metrics.read, func(c *pgxpool.Conn) error { return fn(ctx, c) }))
}

// Read runs fn in a transaction that sees one moment and writes nothing. See also Last.
func (e *Engine) Read(ctx context.Context, app string, fn func(context.Context, Conn) error) error {
	return e.Again(ctx, "read", func() error { return e.snapshot(ctx, app, e.Metrics.read, e.begin(readOnlyBegin), fn) })
}

const readOnlyBegin = `BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY`

// snapshot runs fn in a transaction that begins so and writes nothing.
func (e *Engine) snapshot(ctx context.Context, app string, q *share.Queue, begin []string, fn func(context.Context, Conn) error) error {
	return e.lend(ctx, app, q, func(c *pgxpool.Conn) error {
		s := &snapshot{conn: c.Conn(), begin: begin}
		return s.end(ctx, fn(ctx, s))
	})
}

// Write runs fn in a transaction and makes it durable. fn may run more than once. before is
// called when fn has succeeded and just before the commit, while the transaction's locks are
// held; nil: nothing is to be done. Errors: those of fn; ErrUnavailable, also where the
// outcome is unknown (ErrUnknownOutcome).
func (e *Engine) Write(ctx context.Context, app string, fn func(context.Context, pgx.Tx) error, before func()) error {
	q := e.Metrics.write
	if app == "" {
		q = e.Metrics.upkeep
	}
	return e.Again(ctx, "write", func() error {
		return e.lend(ctx, app, q, func(c *pgxpool.Conn) error { return e.write(ctx, c.Conn(), fn, before) })
	})
}

func (e *Engine) write(ctx context.Context, conn *pgx.Conn, fn func(context.Context, pgx.Tx) error, before func()) (err error) {
	t, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: strings.Join(e.begin(`BEGIN`), `; `)})
	if err != nil {
		return err
	}
	// Whatever became of the caller, the transaction is ended: the connection goes back.
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	defer func() {
		if err != nil {
			_ = t.Rollback(whole) // the pool closes a connection that cannot roll back
		}
	}()
	if err := fn(ctx, t); err != nil {
		return err
	}
	if before != nil {
		before()
	}
	return Commit(whole, conn, t.Commit)
}

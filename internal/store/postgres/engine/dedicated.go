package engine

import (
	"context"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
)

// Dedicated is a connection beside the pool that one goroutine owns, for transactions that are
// sent in two round trips: the first begins the transaction, locks and reads, the second writes
// and commits. It is opened when it is first needed, and again when it was lost.
type Dedicated struct {
	engine *Engine
	config *pgx.ConnConfig
	local  [2][]string // names and values of settings that each transaction makes; see pooler.go
	conn   *pgx.Conn   // nil: the next transaction opens one
}

// ByIndex are parameters for statements each of whose look-ups is by a whole key. The tables grow
// from nothing faster than they are analysed: a plan by index is right always, and a plan by
// statistics may be wrong for a while.
var ByIndex = map[string]string{"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}

// Dedicate makes a connection with more parameters of the session. Close ends it.
func (e *Engine) Dedicate(parameters map[string]string) *Dedicated {
	d := &Dedicated{engine: e, config: e.config.Copy()}
	if len(e.local) == 0 {
		maps.Copy(d.config.RuntimeParams, parameters)
		return d
	}
	for name, value := range parameters {
		d.local[0], d.local[1] = append(d.local[0], name), append(d.local[1], value)
	}
	return d
}

// Conn is the open connection.
func (d *Dedicated) Conn(ctx context.Context) (c *pgx.Conn, err error) {
	if d.conn == nil || d.conn.IsClosed() {
		if d.conn, err = d.engine.Connect(ctx, d.config); err != nil {
			d.conn = nil
		}
	}
	return d.conn, err
}

// Begin begins a transaction and runs what is queued, in one round trip. Commit or Recover
// follows.
func (d *Dedicated) Begin(ctx context.Context, queue func(*pgx.Batch)) error {
	c, err := d.Conn(ctx)
	if err != nil {
		return err
	}
	q := new(pgx.Batch)
	q.Queue(`BEGIN`)
	if len(d.local[0]) > 0 {
		q.Queue(`SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) s(name, value)`, d.local[0], d.local[1])
	}
	queue(q)
	return c.SendBatch(ctx, q).Close()
}

// InTransaction reports whether a transaction was begun and not ended.
func (d *Dedicated) InTransaction() bool {
	return d.conn != nil && !d.conn.IsClosed() && d.conn.PgConn().TxStatus() != 'I'
}

// Commit runs what is queued and commits, in one round trip. Errors: ErrUnknownOutcome.
func (d *Dedicated) Commit(ctx context.Context, q *pgx.Batch) error {
	q.Queue(`COMMIT`)
	return Commit(ctx, d.conn, func(ctx context.Context) error { return d.conn.SendBatch(ctx, q).Close() })
}

// endLimit bounds the end of a transaction that failed, and of a connection.
const endLimit = time.Second

// Recover ends a transaction that failed; it closes a connection that cannot.
func (d *Dedicated) Recover(ctx context.Context) {
	if !d.InTransaction() {
		if d.conn != nil && d.conn.IsClosed() {
			d.conn = nil
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	if _, err := d.conn.Exec(ctx, `ROLLBACK`); err != nil {
		d.Close(ctx)
	}
}

// Close closes the connection.
func (d *Dedicated) Close(ctx context.Context) {
	if d.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	_ = d.conn.Close(ctx) // the server notices it if the farewell is lost
	d.conn = nil
}

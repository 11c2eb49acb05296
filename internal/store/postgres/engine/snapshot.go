package engine

import (
	"cmp"
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// snapshot is a transaction that sees one moment and writes nothing. It begins in the round trip of
// its first statement: waiting for an answer costs more than most statements do.
type snapshot struct {
	conn  *pgx.Conn
	begin []string // the statements that begin it
	begun bool
}

// SendBatch implements Conn.
func (s *snapshot) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if s.begun {
		return s.conn.SendBatch(ctx, b)
	}
	s.begun = true
	whole := new(pgx.Batch)
	for _, sql := range s.begin {
		whole.Queue(sql)
	}
	whole.QueuedQueries = append(whole.QueuedQueries, b.QueuedQueries...)
	results := s.conn.SendBatch(ctx, whole)
	for range s.begin {
		_, _ = results.Exec() // every later answer has the same error
	}
	return results
}

// Query implements Conn.
func (s *snapshot) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if !s.begun && len(args) > 0 {
		if _, own := args[0].(pgx.QueryExecMode); own { // a batch has one mode for all its statements
			s.begun = true
			if _, err := s.conn.Exec(ctx, strings.Join(s.begin, `; `)); err != nil {
				return nil, err
			}
		}
	}
	if s.begun {
		return s.conn.Query(ctx, sql, args...)
	}
	var b pgx.Batch
	b.Queue(sql, args...)
	results := s.SendBatch(ctx, &b)
	rows, err := results.Query()
	first := &firstRows{Rows: rows, batch: results}
	if err != nil {
		first.Close()
	}
	return first, err
}

// QueryRow implements Conn.
func (s *snapshot) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if s.begun {
		return s.conn.QueryRow(ctx, sql, args...)
	}
	rows, err := s.Query(ctx, sql, args...)
	return firstRow{rows, err}
}

// Exec implements Conn.
func (s *snapshot) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	var b pgx.Batch
	b.Queue(sql, args...)
	results := s.SendBatch(ctx, &b)
	tag, err := results.Exec()
	return tag, cmp.Or(err, results.Close())
}

// end ends the transaction, unless Last has. It returns err, or why the transaction did not end.
func (s *snapshot) end(ctx context.Context, err error) error {
	if s.conn.IsClosed() || s.conn.PgConn().TxStatus() == 'I' {
		return err
	}
	if err == nil {
		tag, ended := s.conn.Exec(ctx, `COMMIT`)
		if ended == nil && tag.String() == "ROLLBACK" {
			return pgx.ErrTxCommitRollback
		}
		return ended
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	_, _ = s.conn.Exec(ctx, `ROLLBACK`) // the pool closes a connection that cannot roll back
	return err
}

// Last sends the last statements of a function that Read or Search runs, and ends its transaction
// in the same round trip. In other transactions it is SendBatch.
func Last(ctx context.Context, c Conn, b *pgx.Batch) pgx.BatchResults {
	if _, reads := c.(*snapshot); reads {
		b.Queue(`COMMIT`)
	}
	return c.SendBatch(ctx, b)
}

// firstRows are the rows of the statement that a transaction begins with. Their end is that of its
// batch.
type firstRows struct {
	pgx.Rows

	batch pgx.BatchResults
	err   error // of the batch
}

// Next implements pgx.Rows.
func (r *firstRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Close implements pgx.Rows.
func (r *firstRows) Close() {
	r.Rows.Close()
	r.err = r.batch.Close()
}

// Err implements pgx.Rows.
func (r *firstRows) Err() error { return cmp.Or(r.Rows.Err(), r.err) }

// firstRow is the row of the statement that a transaction begins with.
type firstRow struct {
	rows pgx.Rows
	err  error
}

// Scan implements pgx.Row.
func (r firstRow) Scan(to ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		return cmp.Or(r.rows.Err(), pgx.ErrNoRows)
	}
	err := r.rows.Scan(to...)
	r.rows.Close()
	return cmp.Or(err, r.rows.Err())
}

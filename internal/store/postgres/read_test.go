package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store/postgres/engine"
)

// openEngine opens an engine with one connection.
func openEngine(t *testing.T, url string) *engine.Engine {
	t.Helper()
	e, err := engine.Open(t.Context(), engine.Options{URL: url, Conns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// A read begins its transaction together with its first statement, whatever that is.
func TestAReadSeesOneMomentWhateverItBeginsWith(t *testing.T) {
	const sql = `SELECT current_setting('transaction_isolation') || ' ' || current_setting('transaction_read_only') || ' ' || current_setting('jit')`
	scan := func(row pgx.Row) (got string, err error) { return got, row.Scan(&got) }
	batch := func(send func(*pgx.Batch) pgx.BatchResults) (got string, err error) {
		b := new(pgx.Batch)
		b.Queue(sql).QueryRow(func(row pgx.Row) error { return row.Scan(&got) })
		return got, send(b).Close()
	}
	for server, url := range map[string]string{"the server": server.Database(t), "a pooler": startPooler(t, server.Empty(t))} {
		e := openEngine(t, url)
		for name, first := range map[string]func(context.Context, engine.Conn) (string, error){
			"one row": func(ctx context.Context, c engine.Conn) (string, error) { return scan(c.QueryRow(ctx, sql)) },
			"rows": func(ctx context.Context, c engine.Conn) (string, error) {
				rows, err := c.Query(ctx, sql)
				if err != nil {
					return "", err
				}
				return pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
			},
			"rows in a mode of their own": func(ctx context.Context, c engine.Conn) (string, error) {
				rows, err := c.Query(ctx, sql+` WHERE $1`, pgx.QueryExecModeExec, true)
				if err != nil {
					return "", err
				}
				return pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
			},
			"a batch": func(ctx context.Context, c engine.Conn) (string, error) {
				return batch(func(b *pgx.Batch) pgx.BatchResults { return c.SendBatch(ctx, b) })
			},
			"its last batch": func(ctx context.Context, c engine.Conn) (string, error) {
				return batch(func(b *pgx.Batch) pgx.BatchResults { return engine.Last(ctx, c, b) })
			},
			"no answer": func(ctx context.Context, c engine.Conn) (string, error) {
				if _, err := c.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
					return "", err
				}
				return scan(c.QueryRow(ctx, sql))
			},
		} {
			for try := range 2 { // the first also prepares the statements
				var got string
				err := e.Read(t.Context(), "", func(ctx context.Context, c engine.Conn) (err error) {
					got, err = first(ctx, c)
					return err
				})
				if want := "repeatable read on off"; err != nil || got != want {
					t.Errorf("%s, %s, try %d: got %q, %v; want %q", server, name, try, got, err, want)
				}
			}
		}
	}
}

// What went wrong is told, and the connection serves the next read.
func TestAReadThatFailsLeavesNoTransaction(t *testing.T) {
	e, ours := openEngine(t, server.Database(t)), errors.New("ours")
	for name, tt := range map[string]struct {
		read func(context.Context, engine.Conn) error
		want func(error) bool
	}{
		"the first statement fails": {func(ctx context.Context, c engine.Conn) error {
			return c.QueryRow(ctx, `SELECT 1 / 0`).Scan(new(int))
		}, func(err error) bool { return err != nil }},
		"it finds no row": {func(ctx context.Context, c engine.Conn) error {
			return c.QueryRow(ctx, `SELECT 1 WHERE false`).Scan(new(int))
		}, func(err error) bool { return errors.Is(err, pgx.ErrNoRows) }},
		"the last batch fails": {func(ctx context.Context, c engine.Conn) error {
			b := new(pgx.Batch)
			b.Queue(`SELECT 1 / 0`)
			return engine.Last(ctx, c, b).Close()
		}, func(err error) bool { return err != nil }},
		"the caller fails": {func(ctx context.Context, c engine.Conn) error {
			if err := c.QueryRow(ctx, `SELECT 1`).Scan(new(int)); err != nil {
				return err
			}
			return ours
		}, func(err error) bool { return errors.Is(err, ours) }},
		"the caller leaves out what failed": {func(ctx context.Context, c engine.Conn) error {
			if err := c.QueryRow(ctx, `SELECT 1`).Scan(new(int)); err != nil {
				return err
			}
			_, _ = c.Exec(ctx, `SELECT 1 / 0`)
			return nil
		}, func(err error) bool { return errors.Is(err, pgx.ErrTxCommitRollback) }},
	} {
		if err := e.Read(t.Context(), "", tt.read); !tt.want(err) {
			t.Errorf("%s: got %v", name, err)
		}
		var n int
		err := e.Each(t.Context(), "", func(ctx context.Context, c engine.Conn) error { return c.QueryRow(ctx, `SELECT 7`).Scan(&n) })
		if err != nil || n != 7 {
			t.Errorf("%s: the next read got %d, %v; want 7", name, n, err)
		}
	}
}

func TestTheURLSaysHowLongToConnect(t *testing.T) {
	url := server.Database(t)
	for more, want := range map[string]time.Duration{"": 5 * time.Second, "&connect_timeout=17": 17 * time.Second} {
		if got := openEngine(t, url+more).Config().ConnectTimeout; got != want {
			t.Errorf("%q: got %v, want %v", more, got, want)
		}
	}
}

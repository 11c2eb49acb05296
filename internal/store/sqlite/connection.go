package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// connection is a connection of the engine's with the queries of the tables.
type connection engine.Conn

func (c *connection) exec(sql string, args ...any) error { return (*engine.Conn)(c).Exec(sql, args...) }

func (c *connection) change(sql string, args ...any) (bool, error) {
	return (*engine.Conn)(c).Change(sql, args...)
}

func (c *connection) changes(sql string, args ...any) (int64, error) {
	return (*engine.Conn)(c).Changes(sql, args...)
}

func (c *connection) row(read func(*sqlite3.Stmt), sql string, args ...any) (bool, error) {
	return (*engine.Conn)(c).Row(read, sql, args...)
}

func (c *connection) rows(read func(*sqlite3.Stmt), sql string, args ...any) error {
	return (*engine.Conn)(c).Rows(read, sql, args...)
}

func (c *connection) ask(read func(*sqlite3.Stmt), sql string, args []any) error {
	return (*engine.Conn)(c).Ask(read, sql, args)
}

func (c *connection) count(sql string, args ...any) (int, error) {
	return (*engine.Conn)(c).Count(sql, args...)
}

type rawText = engine.RawText

func bytesOrNil(r *sqlite3.Stmt, col int) []byte         { return engine.Bytes(r, col) }
func idColumn(r *sqlite3.Stmt, col int) skein.ID         { return engine.ID(r, col) }
func smallColumn[T ~int8](r *sqlite3.Stmt, col int) T    { return engine.Small[T](r, col) }
func millisColumn(r *sqlite3.Stmt, col int) skein.Millis { return engine.Millis(r, col) }

// on is a read of the tables as the engine lends it a connection.
func on(read func(*connection) error) func(*engine.Conn) error {
	return func(c *engine.Conn) error { return read((*connection)(c)) }
}

// The kinds of reads are the engine's; see engine.Engine.

func (s *Store) caller(ctx context.Context, app string, read func(*connection) error) error {
	return s.engine.Caller(ctx, app, on(read))
}

func (s *Store) read(ctx context.Context, app string, read func(*connection) error) error {
	return s.engine.Read(ctx, app, on(read))
}

func (s *Store) snapshot(ctx context.Context, app string, read func(*connection) error) error {
	return s.engine.Snapshot(ctx, app, on(read))
}

func (s *Store) walk(ctx context.Context, app string, read func(*connection) error) error {
	return s.engine.Walk(ctx, app, on(read))
}

func (s *Store) search(ctx context.Context, app, what string, read func(*connection) error) error {
	return s.engine.Search(ctx, app, what, on(read))
}

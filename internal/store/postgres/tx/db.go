// Package tx holds what the table packages share: transactions, locks, stamps, the news of a
// commit, and the rows that several packages read. Each table package has its own queries.
//
// Locks are taken always in this order: conversations (LockConversations), then clients
// (LockClients), then whatever unique constraints lock. Whoever moves a conversation's
// last_seq, last_change, roster_rev or moved holds its lock, taken before the transaction's
// first write: so the order of stamps is the order of seq within a conversation.
package tx

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/engine"
)

// DB is an open database.
type DB struct {
	*engine.Engine

	Salt  []byte // of retry tags; never changes; see rows.LongRetryTag
	Moves *Moves // which conversations moved lately
	Log   *slog.Logger

	now  func() time.Time
	news *news
}

// Open opens a database. committed is called after each commit with the messages and changes
// that it stored; it may be nil. The context bounds only the opening.
func Open(ctx context.Context, opt engine.Options, now func() time.Time, committed store.CommitHook) (*DB, error) {
	e, err := engine.Open(ctx, opt)
	if err != nil {
		return nil, err
	}
	db := &DB{Engine: e, Moves: NewMoves(), Log: opt.Log, now: now, news: newNews(committed, opt.Log)}
	err = e.Each(ctx, "", func(ctx context.Context, c engine.Conn) error {
		return c.QueryRow(ctx, `SELECT salt FROM history`).Scan(&db.Salt)
	})
	if err != nil {
		_ = e.Close()
		return nil, err
	}
	return db, nil
}

// Now is the current time.
func (db *DB) Now() time.Time { return db.now() }

// Millis is Now in milliseconds.
func (db *DB) Millis() skein.Millis { return skein.MillisOf(db.now()) }

// Conn reads and writes rows: of a transaction, or with each statement on its own.
type Conn struct {
	engine.Conn

	Now skein.Millis // when it was begun, by the store's clock
}

// Each gives fn a connection on which each statement is a transaction of its own. Here and below
// the connection counts as one of the app's; an empty app stands for the chores of the server.
func (db *DB) Each(ctx context.Context, app string, fn func(context.Context, Conn) error) error {
	return db.Engine.Each(ctx, app, func(ctx context.Context, c engine.Conn) error { return fn(ctx, Conn{c, db.Millis()}) })
}

// Read runs fn in a transaction that sees one moment and writes nothing.
func (db *DB) Read(ctx context.Context, app string, fn func(context.Context, Conn) error) error {
	return db.Engine.Read(ctx, app, func(ctx context.Context, c engine.Conn) error { return fn(ctx, Conn{c, db.Millis()}) })
}

// Search is Read for reads of many rows; see engine.Search. Errors: also ErrRateLimited.
func (db *DB) Search(ctx context.Context, app, what string, fn func(context.Context, Conn) error) error {
	return db.Engine.Search(ctx, app, what, func(ctx context.Context, c engine.Conn) error { return fn(ctx, Conn{c, db.Millis()}) })
}

// Write runs fn in a transaction, makes it durable and tells the commit hook. fn may run more
// than once: it must set what it answers anew each time, and do nothing outside.
func (db *DB) Write(ctx context.Context, app string, fn func(context.Context, *Tx) error) error {
	var t *Tx
	var told *Ticket
	defer func() { told.Drop() }()
	err := db.Engine.Write(ctx, app, func(ctx context.Context, p pgx.Tx) error {
		told.Drop() // of a try that failed
		told = nil
		t = &Tx{Conn: Conn{p, db.Millis()}}
		if err := fn(ctx, t); err != nil {
			return err
		}
		return t.writeBatch(ctx)
	}, func() { told = db.Enter(t) })
	if err != nil {
		return err
	}
	told.Tell()
	return nil
}

// Enter takes the turn of a transaction to tell the commit hook; see news. It comes just before
// the commit; Tell or Drop follows.
func (db *DB) Enter(t *Tx) *Ticket { return db.news.enter(t.told) }

// Result is Write for a function with a result.
func Result[T any](ctx context.Context, db *DB, app string, fn func(context.Context, *Tx) (T, error)) (T, error) {
	var answer, none T
	err := db.Write(ctx, app, func(ctx context.Context, t *Tx) (err error) {
		answer, err = fn(ctx, t)
		return err
	})
	if err != nil {
		return none, err
	}
	return answer, nil
}

// Package tx holds what the table packages share: reads and writes of the database, the
// transaction of a group of writes, the writer's memory of rows between transactions, and
// the rows that several packages read. Each table package defines its own queries on its own
// types, which embed Conn and Group.
package tx

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/moves"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// DB is an open database. It implements engine.Tables.
type DB struct {
	engine    *engine.Engine
	now       func() time.Time
	log       *slog.Logger
	committed store.CommitHook

	Salt    []byte       // of retry tags; never changes; see RetryTag
	Moves   *moves.Map   // which conversations moved lately
	Reached atomic.Int64 // the stamp of the newest commit that Moves knows

	// Owned by the engine's writing goroutine. The slices and the map are scratch space
	// of groups.
	known  *known
	stamps stamps
	told   []skein.Committed
	moved  []moves.Move
	behind map[int64]int64
}

// Open opens a file of the newest schema. committed is called after each commit with the
// messages it stored; it may be nil.
func Open(opt engine.Options, committed store.CommitHook) (*DB, error) {
	db := &DB{now: opt.Now, log: opt.Log, committed: committed, known: newKnown(), behind: make(map[int64]int64)}
	var err error
	if db.engine, err = engine.Open(opt, db); err != nil {
		return nil, err
	}
	return db, nil
}

// Close commits the queued writes, waits for running reads and closes the file.
func (db *DB) Close() error { return db.engine.Close() }

// Engine is the engine that runs the reads and writes.
func (db *DB) Engine() *engine.Engine { return db.engine }

// Now is the current time.
func (db *DB) Now() time.Time { return db.now() }

// Millis is Now in milliseconds.
func (db *DB) Millis() skein.Millis { return skein.MillisOf(db.now()) }

// Start implements engine.Tables. Reached begins just below the ceiling: only one process
// serves a file (internal/datadir locks it), so no other gives out stamps below it.
func (db *DB) Start(conn *engine.Conn) (err error) {
	c := Conn{conn}
	if db.Salt, err = c.readSalt(); err != nil {
		return err
	}
	ceiling, err := c.ceiling()
	db.Moves = moves.New(ceiling)
	db.Reached.Store(max(ceiling-1, 0))
	return err
}

// Begin implements engine.Tables.
func (db *DB) Begin(conn *engine.Conn, now time.Time, foreign bool) (engine.Group, error) {
	if foreign {
		db.Forget()
	}
	db.known.trim()
	g := &Group{
		Conn: Conn{conn}, db: db, Now: skein.MillisOf(now), Known: db.known,
		Told: db.told[:0], moved: db.moved[:0], behind: db.behind,
	}
	clear(g.behind)
	err := g.takeStamp(&db.stamps, now)
	if foreign && err == nil {
		db.Moves.Forget(g.Stamp)
	}
	return g, err
}

// Forget implements engine.Tables.
func (db *DB) Forget() {
	db.known.Clear()
	db.stamps.ceiling = 0
}

// tell calls the commit hook. The commit is already durable, so the jobs must get their
// answers even if the hook panics.
func (db *DB) tell(told []skein.Committed) {
	if db.committed == nil || len(told) == 0 {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			db.log.Error("the commit hook panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		}
	}()
	db.committed(told)
}

// Conn is a connection with the queries that several packages use. A package embeds it in a
// struct of its own, without other fields, and defines its own queries there.
type Conn struct{ *engine.Conn }

// on makes a read of a table package one of the engine.
func on[C ~struct{ Conn }](read func(C) error) func(*engine.Conn) error {
	return func(c *engine.Conn) error { return read(C{Conn{c}}) }
}

// Caller is [engine.Engine.Caller].
func Caller[C ~struct{ Conn }](ctx context.Context, db *DB, app string, read func(C) error) error {
	return db.engine.Caller(ctx, app, on(read))
}

// Read is [engine.Engine.Read].
func Read[C ~struct{ Conn }](ctx context.Context, db *DB, app string, read func(C) error) error {
	return db.engine.Read(ctx, app, on(read))
}

// Snapshot is [engine.Engine.Snapshot].
func Snapshot[C ~struct{ Conn }](ctx context.Context, db *DB, app string, read func(C) error) error {
	return db.engine.Snapshot(ctx, app, on(read))
}

// Walk is [engine.Engine.Walk].
func Walk[C ~struct{ Conn }](ctx context.Context, db *DB, app string, read func(C) error) error {
	return db.engine.Walk(ctx, app, on(read))
}

// Search is [engine.Engine.Search].
func Search[C ~struct{ Conn }](ctx context.Context, db *DB, app, what string, read func(C) error) error {
	return db.engine.Search(ctx, app, what, on(read))
}

// Job says which app a write belongs to and what it costs; see engine.Job.
type Job struct {
	App   string
	Whole bool
	Bytes int
	Rows  int
}

// SmallJob is about how many bytes a job holds besides its data.
const SmallJob = 512

// Write runs fn in the next group commit and returns its result once that is durable. fn may
// run more than once and must not wait for anything. G is the package's own struct around
// Group.
func Write[T any, G ~struct{ *Group }](ctx context.Context, db *DB, j Job, fn func(G) (T, error)) (T, error) {
	var none T
	answer := new(T) // not a variable of this frame: the job may outlive the call
	queued := &engine.Job{App: j.App, Whole: j.Whole, Bytes: j.Bytes, Rows: j.Rows, Run: In(func(g G) (err error) {
		*answer, err = fn(g)
		return err
	})}
	if err := db.engine.Do(ctx, queued); err != nil {
		return none, err
	}
	if queued.Err != nil {
		return none, queued.Err
	}
	return *answer, nil
}

// In makes a write of a table package one of the engine.
func In[G ~struct{ *Group }](run func(G) error) func(engine.Group) error {
	return func(g engine.Group) error { return run(G{g.(*Group)}) } //nolint:forcetypeassert // Begin makes no other
}

// Change is Write for the operator, without a result.
func Change[G ~struct{ *Group }](ctx context.Context, db *DB, fn func(G) error) error {
	return ChangeOf(ctx, db, "", fn)
}

// ChangeOf is Write for an app, without a result.
func ChangeOf[G ~struct{ *Group }](ctx context.Context, db *DB, app string, fn func(G) error) error {
	_, err := Write(ctx, db, Job{App: app, Bytes: SmallJob}, func(g G) (struct{}, error) { return struct{}{}, fn(g) })
	return err
}

package sqlite

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// writer is what the tables know while they are written, and what a commit has to tell.
// It implements engine.Tables.
type writer struct {
	engine    *engine.Engine
	log       *slog.Logger
	committed store.CommitHook

	salt    []byte // see retries.go; set once
	moves   *moves
	reached atomic.Int64 // a stamp that no later commit will have, and whose commits are known to moves

	// Owned by the engine's writing goroutine.
	known     *known
	stamps    stamps
	sent      []skein.Sent    // scratch: what a group tells the hook
	moved     []move          // scratch: what moved in a group
	overtaken map[int64]int64 // scratch: see group
}

func newWriter(committed store.CommitHook, log *slog.Logger) *writer {
	return &writer{log: log, committed: committed, known: newKnown(), overtaken: make(map[int64]int64)}
}

// Start implements engine.Tables. The stamps below the ceiling are spent, since a process
// that serves has the file to itself (cmd/skein locks it).
func (w *writer) Start(conn *engine.Conn) (err error) {
	c := (*connection)(conn)
	if w.salt, err = c.readSalt(); err != nil {
		return err
	}
	ceiling, err := c.ceiling()
	w.moves = newMoves(ceiling)
	w.reached.Store(max(ceiling-1, 0))
	return err
}

// Begin implements engine.Tables.
func (w *writer) Begin(conn *engine.Conn, now time.Time, foreign bool) (engine.Group, error) {
	if foreign {
		w.Forget()
	}
	w.known.trim()
	g := &group{
		connection: (*connection)(conn), writer: w, now: skein.MillisOf(now), known: w.known,
		sent: w.sent[:0], moved: w.moved[:0], overtaken: w.overtaken,
	}
	clear(g.overtaken)
	err := g.takeStamp(&w.stamps, now)
	if foreign && err == nil {
		w.moves.forget(g.stamp)
	}
	return g, err
}

// Forget implements engine.Tables.
func (w *writer) Forget() {
	w.known.clear()
	w.stamps.ceiling = 0
}

// job says whose a write is and what it costs; see engine.Job.
type job struct {
	app   string
	whole bool
	bytes int
	rows  int
}

// write runs fn in the next group commit and answers what it answered once that
// is durable. fn may run more than once and must not wait for anything.
func write[T any](ctx context.Context, w *writer, j job, fn func(*group) (T, error)) (T, error) {
	var none T
	answer := new(T) // not a variable of this frame: the job may outlive the call
	queued := &engine.Job{App: j.app, Whole: j.whole, Bytes: j.bytes, Rows: j.rows, Run: in(func(g *group) (err error) {
		*answer, err = fn(g)
		return err
	})}
	if err := w.engine.Do(ctx, queued); err != nil {
		return none, err
	}
	if queued.Err != nil {
		return none, queued.Err
	}
	return *answer, nil
}

// in is a write of the tables as the engine runs it.
func in(run func(*group) error) func(engine.Group) error {
	return func(g engine.Group) error { return run(g.(*group)) } //nolint:forcetypeassert // Begin makes no other
}

// tell calls the commit hook. What it tells has happened, so a hook that panics
// must not keep the jobs from their answers.
func (w *writer) tell(sent []skein.Sent) {
	if w.committed == nil || len(sent) == 0 {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("the commit hook panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		}
	}()
	w.committed(sent)
}

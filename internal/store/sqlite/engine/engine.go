// Package engine runs one SQLite file: one writer with group commit, readers, searchers, a
// checkpointer, and the handling of disk failures. It knows no table: its callers give it
// jobs and a Tables.
//
// Every write is a job in one queue, from which apps get equal shares of the writer's
// time. One goroutine takes as many waiting jobs as fit into one commit, runs them in one
// transaction, syncs once, and answers them all. So all calls that came in during one sync
// share the next one. Reads use their own connections and never wait for a write.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/share"
)

// Options say where the file is and what bounds its use. All must be set, except those that
// say what their zero value means.
type Options struct {
	Path       string // absolute, so that it never looks like a URI or one of SQLite's own names
	Now        func() time.Time
	Log        *slog.Logger
	QueueJobs  int                   // writes that may wait
	QueueBytes int                   // memory of the waiting writes
	Readers    int                   // concurrent reads by key; the other two sets of reads have at most as many each
	Registerer prometheus.Registerer // nil: no metrics

	// For tests; zero: the constant of that name.
	LogPages    int
	GroupBudget time.Duration
	QuickTime   time.Duration
	SearchTime  time.Duration
}

func (o Options) withDefaults() Options {
	if o.LogPages == 0 {
		o.LogPages = logPages
	}
	if o.GroupBudget == 0 {
		o.GroupBudget = groupBudget
	}
	if o.QuickTime == 0 {
		o.QuickTime = quickTime
	}
	if o.SearchTime == 0 {
		o.SearchTime = searchTime
	}
	return o
}

// Engine is an open file. Safe for concurrent use.
type Engine struct {
	log     *slog.Logger
	metrics *metrics
	writer  *writer

	// See reads.go.
	callers, readers, searchers *readers
	quickTime, searchTime       time.Duration
	ended                       share.Warning // about searches that took too long

	damage   *damage
	closing  sync.Once
	closeErr error
}

// Open opens a file that schema.Bring accepted and starts the writer, which commits to tables;
// Close ends it.
func Open(opt Options, tables Tables) (*Engine, error) {
	opt = opt.withDefaults()
	metrics, err := newMetrics(opt.Registerer)
	if err != nil {
		return nil, err
	}
	found := &damage{log: opt.Log, met: metrics.corrupt}
	writer, err := startWriter(opt, tables, metrics, found)
	if err != nil {
		metrics.unregister()
		return nil, err
	}
	e := &Engine{
		log: opt.Log, metrics: metrics, writer: writer, damage: found,
		quickTime: opt.QuickTime, searchTime: opt.SearchTime,
	}
	if err := e.openReaders(opt); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// openReaders opens the sets of readers.
func (e *Engine) openReaders(opt Options) error {
	for _, set := range []struct {
		at     **readers
		kind   string
		size   int
		weight int
	}{
		{&e.callers, "caller", min(callerReaders, opt.Readers), 0},
		{&e.readers, "read", opt.Readers, 0},
		{&e.searchers, "search", min(searchers, opt.Readers), 1},
	} {
		opened, err := openReaders(opt.Path, set.size, set.weight, e.metrics.wait.Of(set.kind))
		if err != nil {
			return err
		}
		opened.damage = e.damage
		*set.at = opened
	}
	return nil
}

// Close commits the queued jobs, waits for running reads and closes the file. Later calls
// return ErrUnavailable. A second Close does nothing.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		for _, set := range e.sets() {
			if set != nil {
				e.closeErr = errors.Join(e.closeErr, set.close())
			}
		}
		e.closeErr = errors.Join(e.closeErr, e.writer.close())
	})
	return e.closeErr
}

func (e *Engine) sets() []*readers { return []*readers{e.callers, e.readers, e.searchers} }

// Path is the path of the file.
func (e *Engine) Path() string { return e.writer.path }

// Damaged reports whether a page of the file was found to be corrupt.
func (e *Engine) Damaged() bool { return e.damage.found.Load() }

// Queued is how many writes wait.
func (e *Engine) Queued() int { return e.writer.queue.Depth() }

// Do runs the jobs of one app in the next group commits, in their order. It waits until all
// are durable and answered, or ctx ends. After an error the writer still owns the jobs, and
// the caller must not read their answers.
func (e *Engine) Do(ctx context.Context, jobs ...*Job) error { return e.writer.do(ctx, jobs...) }

// Statements are the texts of the statements that the connections have kept so far, and
// how often each was prepared anew since; none when the engine is closed.
func (e *Engine) Statements(ctx context.Context) map[string]int {
	all := make(map[string]int)
	keep := func(c *Conn) {
		for sql, stmt := range c.prepared {
			all[sql] += stmt.Status(sqlite3.STMTSTATUS_REPREPARE, false)
		}
	}
	look := Job{Whole: true, Run: func(Group) error {
		keep(e.writer.conn)
		return nil
	}}
	if err := e.Do(ctx, &look); err != nil {
		return nil
	}
	for _, set := range e.sets() {
		for i := range set.places.Size() {
			app := fmt.Sprint(i) // one app may not hold all connections
			c, err := set.acquire(ctx, app)
			if err != nil {
				return nil
			}
			defer set.release(c, app, 0)
			keep(c)
		}
	}
	return all
}

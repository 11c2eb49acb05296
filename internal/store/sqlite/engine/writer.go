package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/store/pace"
	"github.com/skein-im/skein/internal/store/sqlite/wal"
)

// A commit ends after maxGroup jobs or groupBudget. So nobody waits for another app's work
// longer than groupBudget and one job.
const (
	maxGroup    = 1024
	groupBudget = 20 * time.Millisecond
)

// commitInterval is about the time between two commits at a rate at which waiting gathers more
// writes; see pace.Options.
const commitInterval = 2 * time.Millisecond

// writer owns the only connection that writes. Its loop is the group commit.
type writer struct {
	path    string
	now     func() time.Time
	log     *slog.Logger
	tables  Tables
	metrics *metrics
	queue   *queue
	budget  time.Duration // of a group
	mover   *checkpointer

	stopped  chan struct{} // closed when loop has ended
	closeErr error         // written by loop before stopped is closed

	// Owned by loop.
	conn    *Conn    // nil: the next group opens one
	wal     vfs.File // the log of conn
	mark    *wal.Marker
	pace    *pace.Pacer
	damage  *damage
	version int64 // of the file as this connection saw it last; see begin
	logged  int   // pages in the log after the last commit
	outage  outageLog
}

// startWriter opens the writing connection and starts loop; close ends it.
func startWriter(opt Options, tables Tables, m *metrics, found *damage) (*writer, error) {
	w := &writer{
		path:    opt.Path,
		now:     opt.Now,
		log:     opt.Log,
		tables:  tables,
		metrics: m,
		queue:   newQueue(opt.QueueJobs, opt.QueueBytes),
		budget:  opt.GroupBudget,
		stopped: make(chan struct{}),
		mark:    wal.NewMarker(opt.Path, opt.Log),
		pace:    pace.New(pace.Options{Interval: commitInterval}),
		damage:  found,
	}
	if err := w.connect(); err != nil {
		return nil, err
	}
	if err := tables.Start(w.conn); err != nil {
		return nil, errors.Join(err, w.conn.Close())
	}
	var err error
	if w.mover, err = startCheckpointer(opt.Path, opt.LogPages, opt.Log); err != nil {
		return nil, errors.Join(err, w.conn.Close())
	}
	go w.loop()
	return w, nil
}

// close refuses further writes, commits those that were taken and waits for loop.
func (w *writer) close() error {
	w.queue.close()
	<-w.stopped
	return w.closeErr
}

// do queues jobs of one app, in their order, and waits until all are answered or ctx
// ends. After an error the writer still owns them.
func (w *writer) do(ctx context.Context, jobs ...*Job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &call{ended: ctx.Err, left: len(jobs), done: make(chan struct{})}
	for _, j := range jobs {
		j.call = c
	}
	if why, err := w.queue.put(jobs); err != nil {
		w.refuse(jobs, why)
		return err
	}
	defer share.Pause(ctx).Resume()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refuse counts jobs that the queue did not take. It logs at debug level only: a client that
// calls too often must not fill the log.
func (w *writer) refuse(jobs []*Job, why refused) {
	w.metrics.refused.WithLabelValues(string(why)).Add(float64(len(jobs)))
	w.log.Debug("write refused", slog.String("app", jobs[0].App), slog.String("reason", string(why)))
}

func (w *writer) loop() {
	defer close(w.stopped)
	var jobs []*Job
	for {
		// Callers that were just answered often write again. Letting them queue first makes
		// groups at low concurrency twice as large.
		runtime.Gosched()
		w.pace.Gather(w.queue)
		jobs = w.queue.take(jobs[:0], maxGroup, w.budget)
		if len(jobs) == 0 {
			break
		}
		w.metrics.queued.Set(float64(w.queue.Depth() + len(jobs)))
		w.metrics.waited(jobs)
		w.commit(jobs)
		clear(jobs)
		if w.conn != nil {
			w.mover.committed(w.conn, w.logged)
		}
	}
	w.metrics.unregister()
	w.closeErr = w.mover.stop()
	if w.conn != nil && w.mover.stuck.Load() {
		w.closeErr = errors.Join(w.closeErr, w.conn.KeepLog())
	}
	if w.conn != nil {
		w.closeErr = errors.Join(w.closeErr, w.conn.Close())
	}
	w.closeErr = errors.Join(w.closeErr, w.mark.Close()) // closing the last connection removed the log, unless it is kept
}

// commit runs the jobs in one transaction, tells the tables and answers the jobs. Jobs that
// it had no time for go back to the queue.
func (w *writer) commit(taken []*Job) {
	start := time.Now()
	g, begun, err := w.attempt(taken)
	w.queue.putBack(taken[begun:])
	jobs := taken[:begun]
	w.metrics.commit.Observe(time.Since(start).Seconds())
	w.metrics.jobs.Observe(float64(len(jobs)))
	if err != nil {
		w.metrics.failed.Inc()
		w.outage.tell(w.log, start, err)
		for _, j := range jobs {
			j.Err = err
		}
	} else {
		g.Committed()
	}
	w.queue.settle(jobs, time.Since(start))
	for _, j := range jobs {
		j.finish(j.Err)
	}
}

// attempt is transact, repeated without each job that panicked.
func (w *writer) attempt(jobs []*Job) (g Group, begun int, err error) {
	for {
		g, begun, err = w.transact(jobs)
		p, ok := errors.AsType[*panicError](err)
		if !ok {
			return g, begun, err
		}
		p.job.Run = func(Group) error { return ErrPanicked }
	}
}

// transact runs jobs in one transaction and makes it durable: at least one job, then as many
// as its time budget allows. begun is how many it ran, from the first; the others were not
// touched. If it fails, nothing was stored: the error is a *panicError, or wraps
// ErrUnavailable and answers all jobs. Otherwise each job's Err is its own answer.
func (w *writer) transact(jobs []*Job) (g Group, begun int, err error) {
	start := time.Now()
	g, err = w.begin()
	if err != nil {
		return nil, len(jobs), w.giveUp("begin", err)
	}
	for lap := start; begun < len(jobs); begun++ {
		if begun > 0 && lap.Sub(start) > w.budget {
			break
		}
		j := jobs[begun]
		j.Err = w.run(g, j)
		if _, ok := errors.AsType[*panicError](j.Err); ok {
			w.log.Error("a write panicked", slog.Any("error", j.Err))
			w.disconnect()
			return nil, len(jobs), j.Err
		}
		if Outage(j.Err) {
			return nil, len(jobs), w.giveUp("write", j.Err)
		}
		now := time.Now()
		j.took, lap = now.Sub(lap), now
	}
	if err := g.Flush(); err != nil {
		return nil, len(jobs), w.giveUp("write", err)
	}
	if err := w.conn.Exec(`COMMIT`); err != nil {
		return nil, len(jobs), w.giveUp("commit", err)
	}
	w.mark.Set(w.wal, w.logged, w.now())
	return g, begun, nil
}

// begin opens the transaction of a group.
func (w *writer) begin() (Group, error) {
	if w.conn == nil {
		if err := w.connect(); err != nil {
			return nil, err
		}
	}
	if err := w.conn.Exec(`BEGIN IMMEDIATE`); err != nil {
		return nil, err
	}
	var version int64
	if _, err := w.conn.Row(func(r *sqlite3.Stmt) { version = r.ColumnInt64(0) }, `PRAGMA data_version`); err != nil {
		return nil, err
	}
	g, err := w.tables.Begin(w.conn, w.now(), version != w.version)
	if err == nil {
		w.version = version
	}
	return g, err
}

// giveUp rolls the transaction back, drops the memory derived from it, and returns the error
// for its jobs. After a failed read, write or sync it also closes the connection;
// docs/decisions/0007 says why that is enough.
func (w *writer) giveUp(attempt string, cause error) error {
	w.tables.Forget()
	w.damage.note(cause)
	switch {
	case w.conn == nil:
	case errors.Is(cause, sqlite3.IOERR):
		w.disconnect()
	case !w.conn.DB.GetAutocommit():
		if err := w.conn.Exec(`ROLLBACK`); err != nil {
			w.log.Error("store cannot roll back", slog.Any("error", err))
			w.disconnect()
		}
	}
	return fmt.Errorf("%s: %w: %w", attempt, skein.ErrUnavailable, cause)
}

func (w *writer) connect() error {
	conn, err := OpenConn(w.path, sqlite3.OPEN_READWRITE, WriterSettings)
	if err != nil {
		return err
	}
	log, err := conn.log()
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	conn.DB.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		w.logged = pages
		return nil
	})
	w.conn, w.wal = conn, log
	return nil
}

// disconnect closes a connection whose state is unknown. Uncommitted writes are lost.
func (w *writer) disconnect() {
	conn := w.conn
	w.conn = nil
	w.tables.Forget()
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("store cannot close a connection", slog.Any("panic", p))
		}
	}()
	if err := conn.Close(); err != nil {
		w.log.Error("store cannot close a connection", slog.Any("error", err))
	}
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/store"
)

// A commit ends when it has run maxGroup jobs or for groupBudget: nobody waits longer
// behind another app's work than for what one job takes and this.
const (
	maxGroup    = 1024
	groupBudget = 20 * time.Millisecond
)

// writer owns the only connection that writes. Its loop is the group commit.
type writer struct {
	path      string
	vfs       string // by which conn reaches the file; see logDisk
	now       func() time.Time
	log       *slog.Logger
	committed store.CommitHook
	metrics   *metrics
	queue     *queue
	budget    time.Duration // of a group
	mover     *checkpointer

	salt     []byte // see retries.go; set once
	moves    *moves
	reached  atomic.Int64  // a stamp that no later commit will have, and whose commits are known to moves
	stopped  chan struct{} // closed when loop has ended
	closeErr error         // written by loop before stopped is closed

	// Owned by loop.
	conn      *connection // nil: the next group opens one
	wal       *logFile    // of conn
	mark      marker
	damage    *damage
	known     *known
	stamps    stamps
	version   int64           // of the file as this connection saw it last; see begin
	logged    int             // pages in the log after the last commit
	sent      []skein.Sent    // scratch: what a group tells the hook
	moved     []move          // scratch: what moved in a group
	overtaken map[int64]int64 // scratch: see group
	outage    outageLog
}

// startWriter opens the writing connection and starts loop; close ends it.
func startWriter(opt Options, m *metrics, found *damage) (*writer, error) {
	w := &writer{
		path:      opt.Path,
		vfs:       gatheringVFS,
		now:       opt.Now,
		log:       opt.Log,
		committed: opt.Committed,
		metrics:   m,
		queue:     newQueue(opt.QueueJobs, opt.QueueBytes),
		budget:    opt.groupBudget,
		stopped:   make(chan struct{}),
		known:     newKnown(),
		overtaken: make(map[int64]int64),
		mark:      marker{path: opt.Path, log: opt.Log},
		damage:    found,
	}
	registerLogDisk(w.vfs)
	if err := w.connect(); err != nil {
		return nil, err
	}
	if err := w.remember(); err != nil {
		return nil, errors.Join(err, w.conn.close())
	}
	var err error
	if w.mover, err = startCheckpointer(opt.Path, opt.logPages, opt.Log); err != nil {
		return nil, errors.Join(err, w.conn.close())
	}
	go w.loop()
	return w, nil
}

// remember reads what the writer knows from its start on. The stamps below the ceiling
// are spent, since a process that serves has the file to itself (cmd/skein locks it).
func (w *writer) remember() (err error) {
	if w.salt, err = w.conn.readSalt(); err != nil {
		return err
	}
	ceiling, err := w.conn.ceiling()
	w.moves = newMoves(ceiling)
	w.reached.Store(max(ceiling-1, 0))
	return err
}

// close refuses further writes, commits those that were taken and waits for loop.
func (w *writer) close() error {
	w.queue.close()
	<-w.stopped
	return w.closeErr
}

// write runs fn in the next group commit and answers what it answered once that
// is durable. fn may run more than once and must not wait for anything.
func write[T any](ctx context.Context, w *writer, j job, fn func(*group) (T, error)) (T, error) {
	var none T
	answer := new(T) // not a variable of this frame: the job may outlive the call
	j.run = func(g *group) (err error) {
		*answer, err = fn(g)
		return err
	}
	if err := w.do(ctx, &j); err != nil {
		return none, err
	}
	if j.err != nil {
		return none, j.err
	}
	return *answer, nil
}

// do queues jobs of one app, in their order, and waits until all are answered or ctx
// ends. With an error they belong to the writer still.
func (w *writer) do(ctx context.Context, jobs ...*job) error {
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

// refuse counts jobs that the queue did not take. It says no more in the log than
// that it happened: whoever calls too often must not fill the log too.
func (w *writer) refuse(jobs []*job, why refused) {
	w.metrics.refused.WithLabelValues(string(why)).Add(float64(len(jobs)))
	w.log.Debug("write refused", slog.String("app", jobs[0].app), slog.String("reason", string(why)))
}

func (w *writer) loop() {
	defer close(w.stopped)
	var jobs []*job
	for {
		// Those who were just answered often have more to write: let them queue
		// it first, and a group at low concurrency is twice as large.
		runtime.Gosched()
		jobs = w.queue.take(jobs[:0], maxGroup, w.budget)
		if len(jobs) == 0 {
			break
		}
		w.metrics.queued.Set(float64(w.queue.depth() + len(jobs)))
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
		w.closeErr = errors.Join(w.closeErr, w.conn.keepLog())
	}
	if w.conn != nil {
		w.closeErr = errors.Join(w.closeErr, w.conn.close())
	}
	w.closeErr = errors.Join(w.closeErr, w.mark.close()) // the log is gone now, unless it is kept
}

// commit takes the jobs through one transaction, tells the hook and answers them. What
// there was no time for goes back to the queue.
func (w *writer) commit(taken []*job) {
	start := time.Now()
	sent, begun, err := w.attempt(taken)
	w.queue.putBack(taken[begun:])
	jobs := taken[:begun]
	w.metrics.commit.Observe(time.Since(start).Seconds())
	w.metrics.jobs.Observe(float64(len(jobs)))
	if err != nil {
		w.metrics.failed.Inc()
		w.outage.tell(w.log, start, err)
		for _, j := range jobs {
			j.err = err
		}
	} else {
		w.tell(sent)
		clear(sent)
		w.sent = sent[:0]
	}
	w.queue.settle(jobs, time.Since(start))
	for _, j := range jobs {
		j.finish(j.err)
	}
}

// attempt is transact, once more without each job that panicked: the others are
// innocent.
func (w *writer) attempt(jobs []*job) (sent []skein.Sent, begun int, err error) {
	for {
		sent, begun, err = w.transact(jobs)
		p, ok := errors.AsType[*panicError](err)
		if !ok {
			return sent, begun, err
		}
		p.job.run = func(*group) error { return errPanicked }
	}
}

// transact runs jobs in one transaction, one at least and then as many as its budget
// of time allows, and makes it durable. It answers how many it has begun, in their
// order; the others nothing has become of. With an error nothing has happened: either
// a *panicError, or one that wraps ErrUnavailable and is the answer to all jobs.
// Otherwise each job's err is its own answer.
func (w *writer) transact(jobs []*job) (sent []skein.Sent, begun int, err error) {
	start := time.Now()
	g, err := w.begin()
	if err != nil {
		return nil, len(jobs), w.giveUp("begin", err)
	}
	for lap := start; begun < len(jobs); begun++ {
		if begun > 0 && lap.Sub(start) > w.budget {
			break
		}
		j := jobs[begun]
		j.err = g.do(j)
		if _, ok := errors.AsType[*panicError](j.err); ok {
			w.log.Error("a write panicked", slog.Any("error", j.err))
			w.disconnect()
			return nil, len(jobs), j.err
		}
		if outage(j.err) {
			return nil, len(jobs), w.giveUp("write", j.err)
		}
		now := time.Now()
		j.took, lap = now.Sub(lap), now
	}
	if err := g.flush(); err != nil {
		return nil, len(jobs), w.giveUp("write", err)
	}
	if err := w.wal.gather(func() error { return g.exec(`COMMIT`) }); err != nil {
		return nil, len(jobs), w.giveUp("commit", err)
	}
	w.mark.set(w.wal, w.logged, w.now())
	w.stamps.begun = true
	w.moves.add(g.moved, g.stamp)
	w.reached.Store(g.stamp) // after that: who has read it finds the moves
	w.moved = g.moved[:0]
	return g.sent, begun, nil
}

// begin opens the transaction of a group. If another connection has changed the
// file since the last one, what this writer remembers of it is dropped.
func (w *writer) begin() (*group, error) {
	if w.conn == nil {
		if err := w.connect(); err != nil {
			return nil, err
		}
	}
	if err := w.conn.exec(`BEGIN IMMEDIATE`); err != nil {
		return nil, err
	}
	var version int64
	if _, err := w.conn.row(func(r *sqlite3.Stmt) { version = r.ColumnInt64(0) }, `PRAGMA data_version`); err != nil {
		return nil, err
	}
	foreign := version != w.version
	if foreign {
		w.version = version
		w.forget()
	}
	w.known.trim()
	now := w.now()
	g := &group{connection: w.conn, now: skein.MillisOf(now), known: w.known, sent: w.sent[:0], moved: w.moved[:0], overtaken: w.overtaken}
	clear(g.overtaken)
	err := g.takeStamp(&w.stamps, now)
	if foreign && err == nil {
		w.moves.forget(g.stamp)
	}
	return g, err
}

// forget drops what was derived from rows that may be different now.
func (w *writer) forget() {
	w.known.clear()
	w.stamps.ceiling = 0
}

// giveUp rolls the transaction back, forgets what was derived in it, and answers
// the error for its jobs. After a read, write or sync that failed the connection
// goes too: docs/decisions/0007 says why that is enough.
func (w *writer) giveUp(attempt string, cause error) error {
	w.forget()
	w.damage.note(cause)
	switch {
	case w.conn == nil:
	case errors.Is(cause, sqlite3.IOERR):
		w.disconnect()
	case !w.conn.db.GetAutocommit():
		if err := w.conn.exec(`ROLLBACK`); err != nil {
			w.log.Error("store cannot roll back", slog.Any("error", err))
			w.disconnect()
		}
	}
	return fmt.Errorf("%s: %w: %w", attempt, skein.ErrUnavailable, cause)
}

func (w *writer) connect() error {
	conn, err := openConnection(through(w.vfs, w.path), sqlite3.OPEN_READWRITE|sqlite3.OPEN_URI, writerSettings)
	if err != nil {
		return err
	}
	wal, err := gatheredLog(conn)
	if err != nil {
		return errors.Join(err, conn.close())
	}
	conn.db.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		w.logged = pages
		return nil
	})
	w.conn, w.wal = conn, wal
	return nil
}

// disconnect lets go of a connection whose state is in doubt, with whatever it
// had not committed.
func (w *writer) disconnect() {
	conn := w.conn
	w.conn = nil
	w.forget()
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("store cannot close a connection", slog.Any("panic", p))
		}
	}()
	if err := conn.close(); err != nil {
		w.log.Error("store cannot close a connection", slog.Any("error", err))
	}
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

package engine

import (
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
)

// logPages is how long the log may grow before it is moved into the file: 64 MiB.
// Pages that changed often are moved once, so a long log costs a third of the
// CPU a row that SQLite's default of 1,000 pages costs.
const logPages = 16_384

// checkpointer moves the log into the file on its own connection: moving 64 MiB takes up to
// 100 ms or so, and no commit should wait for that. The log restarts only when all of it was
// moved. Commits made meanwhile prevent that, so the writer moves their few pages itself.
type checkpointer struct {
	conn  *Conn
	log   *slog.Logger
	limit int // pages in the log, from which on it is to be moved

	// stuck: a sync of the file failed. What was moved before may have been dropped by
	// the system, which says so once only, so the log, which was synced when it was
	// written, must keep all it has until the next start moves it from its beginning.
	stuck atomic.Bool

	due     chan struct{} // the writer asks; closed to stop
	moved   chan struct{} // the answer, after which the writer may ask again
	stopped chan struct{} // closed when loop has ended

	asked bool // owned by the writer's loop
}

func startCheckpointer(path string, limit int, log *slog.Logger) (*checkpointer, error) {
	conn, err := OpenConn(path, sqlite3.OPEN_READWRITE, WriterSettings)
	if err != nil {
		return nil, err
	}
	c := &checkpointer{
		conn:    conn,
		log:     log,
		limit:   limit,
		due:     make(chan struct{}, 1),
		moved:   make(chan struct{}, 1),
		stopped: make(chan struct{}),
	}
	go c.loop()
	return c, nil
}

// stop waits for the checkpoint under way.
func (c *checkpointer) stop() error {
	close(c.due)
	<-c.stopped
	if c.stuck.Load() {
		return errors.Join(c.conn.KeepLog(), c.conn.Close())
	}
	return c.conn.Close()
}

func (c *checkpointer) loop() {
	defer close(c.stopped)
	for range c.due {
		c.checkpoint(c.conn)
		c.moved <- struct{}{}
	}
}

// committed is called by the writer after each commit, with its connection and
// the length of the log in pages. It waits for nothing but the end of the log.
func (c *checkpointer) committed(writer *Conn, pages int) {
	select {
	case <-c.moved:
		c.asked = false
		c.checkpoint(writer)
		return
	default:
	}
	if pages >= c.limit && !c.asked {
		c.asked = true
		c.due <- struct{}{}
	}
}

// checkpoint moves what no reader needs in the log any more. If it fails, the log
// gets longer and a later commit asks again, unless it is stuck.
func (c *checkpointer) checkpoint(conn *Conn) {
	if c.stuck.Load() {
		return
	}
	_, _, err := conn.DB.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
	switch {
	case syncFailed(err):
		c.stuck.Store(true)
		c.log.Error("store cannot sync its file: its log grows until the next start, look at the disk and restart", slog.Any("error", err))
	case err != nil:
		c.log.Warn("store cannot move its log", slog.Any("error", err))
	}
}

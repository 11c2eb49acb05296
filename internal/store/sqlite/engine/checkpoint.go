package engine

import (
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
)

// logPages is how long the log may grow before it is moved into the file: 64 MiB. A page that
// changed often is moved once, so a row costs a third of the CPU that it costs with SQLite's
// default of 1,000 pages.
const logPages = 16_384

// checkpointer moves the log into the file on its own connection: moving 64 MiB takes up to
// 100 ms or so, and no commit should wait for that. The log restarts only when all of it was
// moved. Commits made meanwhile prevent that, so the writer moves their few pages itself.
type checkpointer struct {
	conn  *Conn
	log   *slog.Logger
	limit int // pages of the log from which on it is moved

	// stuck: a sync of the file failed. The system may have dropped pages that were moved
	// before, and it reports that only once. So the log, which was synced when it was
	// written, must keep all its pages until the next start moves them again.
	stuck atomic.Bool

	due     chan struct{} // the writer asks for a checkpoint; closed to stop
	moved   chan struct{} // the checkpoint is over; the writer may ask again
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

// stop waits for a running checkpoint and ends the loop.
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

// committed is called by the writer after each commit, with its connection and the length of
// the log in pages. It waits only while it moves the end of the log itself.
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

// checkpoint moves the pages that no reader needs in the log any more. If it fails, the log
// grows and a later commit asks again, unless the checkpointer is stuck.
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

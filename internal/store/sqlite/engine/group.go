package engine

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// Tables are what the writer commits to. Only the writer's goroutine calls them.
type Tables interface {
	// Start reads what must be known from the start.
	Start(c *Conn) error
	// Begin makes the group of a transaction that has just begun on c. foreign: another
	// connection may have changed the file since the last one.
	Begin(c *Conn, now time.Time, foreign bool) (Group, error)
	// Forget drops what was derived from rows, since these may have changed.
	Forget()
}

// Group is what the jobs of one transaction share.
type Group interface {
	// Flush brings the rows up to date with what the jobs did.
	Flush() error
	// Save remembers the group's state outside the rows, before a job that may be undone.
	Save()
	// Undo restores the state that Save remembered. changed: rows were changed since then
	// too, and are being rolled back.
	Undo(changed bool)
	// Committed says that the group is durable. The jobs are answered after it.
	Committed()
}

// ErrPanicked is the answer to a job that panicked. The log has the stack.
var ErrPanicked = errors.New("store failed on this write")

// panicError is the error of a job that panicked.
type panicError struct {
	job   *Job
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// run runs one job, unless its caller stopped waiting. A job that is not Whole gets a savepoint,
// so that it happens completely or not at all; before it, the rows are brought up to date.
func (w *writer) run(g Group, j *Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{job: j, value: p, stack: debug.Stack()}
		}
	}()
	if err := j.call.ended(); err != nil {
		return err
	}
	if j.Whole {
		return j.Run(g)
	}
	if err := g.Flush(); err != nil {
		return err
	}
	if err := w.conn.Exec(`SAVEPOINT job`); err != nil {
		return err
	}
	before := w.conn.DB.TotalChanges()
	g.Save()
	err = j.Run(g)
	if Outage(err) {
		return err
	}
	if err != nil {
		changed := w.conn.DB.TotalChanges() != before
		g.Undo(changed)
		if changed {
			if e := w.conn.Exec(`ROLLBACK TO job`); e != nil {
				return e
			}
		}
	}
	return errors.Join(err, w.conn.Exec(`RELEASE job`))
}

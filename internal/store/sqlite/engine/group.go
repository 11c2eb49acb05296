package engine

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// Tables are what the writer commits to. It calls them from its own goroutine alone.
type Tables interface {
	// Start reads what is to be known from the opening on.
	Start(c *Conn) error
	// Begin makes the group of a transaction that has just begun on c. foreign: another
	// connection may have changed the file since the last one.
	Begin(c *Conn, now time.Time, foreign bool) (Group, error)
	// Forget drops what was derived from rows that may be different now.
	Forget()
}

// Group is what the jobs of one transaction share.
type Group interface {
	// Flush brings the rows up to date with what the jobs did.
	Flush() error
	// Save remembers what the group holds beside rows, before a job that may be undone.
	Save()
	// Undo takes back what the group took in since Save. changed: rows were changed
	// since then too, and are being rolled back.
	Undo(changed bool)
	// Committed says that all of it is durable. The jobs are answered after it.
	Committed()
}

// ErrPanicked answers the job that panicked; the log has the stack.
var ErrPanicked = errors.New("store failed on this write")

// panicError is the error of a job that panicked.
type panicError struct {
	job   *Job
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// run runs one job, unless nobody waits for it any more. A job that is not whole gets a
// savepoint, so that it happens wholly or not at all; for it, rows are up to date.
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

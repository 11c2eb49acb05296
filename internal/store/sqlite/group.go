package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/skein-im/skein"
)

// errPanicked answers the job that panicked; the log has the stack.
var errPanicked = errors.New("store failed on this write")

// panicError is the error of a job that panicked.
type panicError struct {
	job   *job
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// group is the open transaction of one commit and what its jobs share. It is
// owned by the writer's loop.
type group struct {
	*connection

	now       skein.Millis
	stamp     int64 // of this commit; see stamp.go
	known     *known
	dirty     []*place        // ahead of their rows; see flush
	overtaken map[int64]int64 // seats that spoke last no more and are ahead of their rows, and seqs of what they said
	sent      []skein.Sent    // for the hook, in order
	moved     []move          // conversations whose stamp becomes this commit's
}

// do runs one job, unless nobody waits for it any more. A job that is not whole gets a savepoint, so that it happens
// wholly or not at all; for it, rows are up to date.
func (g *group) do(j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{job: j, value: p, stack: debug.Stack()}
		}
	}()
	if err := j.call.ended(); err != nil {
		return err
	}
	if j.whole {
		return j.run(g)
	}
	if err := g.flush(); err != nil {
		return err
	}
	if err := g.exec(`SAVEPOINT job`); err != nil {
		return err
	}
	before, told, moved := g.db.TotalChanges(), len(g.sent), len(g.moved)
	err = j.run(g)
	if outage(err) {
		return err
	}
	if err != nil {
		g.sent, g.moved = g.sent[:told], g.moved[:moved]
	}
	if err != nil && g.db.TotalChanges() != before {
		g.known.clear()
		if e := g.exec(`ROLLBACK TO job`); e != nil {
			return e
		}
	}
	return errors.Join(err, g.exec(`RELEASE job`))
}

// flush writes back the places that messages have moved and the seats that were
// overtaken: once per conversation or member and group, however many messages there
// were. A seat moves no stamp: the conversation's tells of the message.
func (g *group) flush() error {
	for _, p := range g.dirty {
		if err := g.write(p); err != nil {
			return err
		}
		g.note(p.app, p.key)
		p.dirty, p.shifted = false, false
	}
	g.dirty = g.dirty[:0]
	for seat, said := range g.overtaken {
		if err := g.exec(`UPDATE members SET sent_seq = ?2 WHERE member_key = ?1`, seat, said); err != nil {
			return err
		}
	}
	clear(g.overtaken)
	return nil
}

// write brings the row of a place up to date, and its entries in indexes where they
// stand somewhere else now.
func (g *group) write(p *place) error {
	if p.shifted {
		return g.exec(`UPDATE conversations SET last_seq = ?2, active = ?3, moved = ?4, speaker = ?5, spoke = ?6, period = ?7, expires = ?8
			WHERE conv_key = ?1`, p.key, p.lastSeq, p.active, g.stamp, p.speaker, p.spoke, periodOf(p.active), p.expires)
	}
	return g.exec(`UPDATE conversations SET last_seq = ?2, active = ?3, moved = ?4, speaker = ?5, spoke = ?6
		WHERE conv_key = ?1`, p.key, p.lastSeq, p.active, g.stamp, p.speaker, p.spoke)
}

// smallJob is about what a job holds besides the bytes it was given.
const smallJob = 512

// change runs a write of the operator's that answers nothing but an error.
func (s *Store) change(ctx context.Context, fn func(*group) error) error {
	return s.changeOf(ctx, "", fn)
}

// changeOf is change for an app.
func (s *Store) changeOf(ctx context.Context, app string, fn func(*group) error) error {
	_, err := write(ctx, s.writer, job{app: app, bytes: smallJob}, func(g *group) (struct{}, error) {
		return struct{}{}, fn(g)
	})
	return err
}

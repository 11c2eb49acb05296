package sqlite

import (
	"context"

	"github.com/skein-im/skein"
)

// group is the open transaction of one commit and what its jobs share. It is
// owned by the engine's writing goroutine.
type group struct {
	*connection

	writer    *writer
	now       skein.Millis
	stamp     int64 // of this commit; see stamp.go
	known     *known
	dirty     []*place        // ahead of their rows; see Flush
	overtaken map[int64]int64 // seats that spoke last no more and are ahead of their rows, and seqs of what they said
	sent      []skein.Sent    // for the hook, in order
	moved     []move          // conversations whose stamp becomes this commit's
	saved     struct{ sent, moved int }
}

// Save implements engine.Group.
func (g *group) Save() { g.saved.sent, g.saved.moved = len(g.sent), len(g.moved) }

// Undo implements engine.Group.
func (g *group) Undo(changed bool) {
	g.sent, g.moved = g.sent[:g.saved.sent], g.moved[:g.saved.moved]
	if changed {
		g.known.clear()
	}
}

// Committed implements engine.Group.
func (g *group) Committed() {
	w := g.writer
	w.stamps.begun = true
	w.moves.add(g.moved, g.stamp)
	w.reached.Store(g.stamp) // after that: who has read it finds the moves
	w.moved = g.moved[:0]
	w.tell(g.sent)
	clear(g.sent)
	w.sent = g.sent[:0]
}

// Flush implements engine.Group: it writes back the places that messages have moved and the seats that were
// overtaken: once per conversation or member and group, however many messages there
// were. A seat moves no stamp: the conversation's tells of the message.
func (g *group) Flush() error {
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

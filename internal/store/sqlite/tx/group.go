package tx

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/moves"
	"github.com/skein-im/skein/internal/store/rows"
)

// Group is the open transaction of one commit and what its jobs share. It is owned by
// the engine's writing goroutine. It implements engine.Group.
type Group struct {
	Conn

	Now   skein.Millis
	Stamp int64 // of this commit; see stamps
	Known *known
	Told  []skein.Committed // for the commit hook, in order

	db     *DB
	dirty  []*Timeline     // ahead of their rows
	behind map[int64]int64 // sent_seq of members whose rows lack it
	moved  []moves.Move    // conversations whose stamp becomes this commit's
	saved  struct{ told, moved int }
}

// Save implements engine.Group.
func (g *Group) Save() { g.saved.told, g.saved.moved = len(g.Told), len(g.moved) }

// Undo implements engine.Group.
func (g *Group) Undo(changed bool) {
	g.Told, g.moved = g.Told[:g.saved.told], g.moved[:g.saved.moved]
	if changed {
		g.Known.Clear()
	}
}

// Committed implements engine.Group.
func (g *Group) Committed() {
	db := g.db
	db.stamps.begun = true
	db.Moves.Add(g.moved, g.Stamp)
	db.Reached.Store(g.Stamp) // after Moves.add: whoever reads Reached finds the moves
	db.moved = g.moved[:0]
	for i := range g.Told {
		g.Told[i].Stamp = g.Stamp
	}
	db.tell(g.Told)
	clear(g.Told)
	db.told = g.Told[:0]
}

// Flush implements engine.Group. It writes the rows of the conversations that got messages,
// and of the members that another sender replaced as the last one. Each row is written once
// per group, however many messages there were. A member's row keeps its stamp, because the
// conversation's new stamp is enough for a sync.
func (g *Group) Flush() error {
	for _, t := range g.dirty {
		if err := g.write(t); err != nil {
			return err
		}
		g.Note(t.app, t.Key)
		t.dirty, t.shifted = false, false
	}
	g.dirty = g.dirty[:0]
	for member, seq := range g.behind {
		if err := g.Exec(`UPDATE members SET sent_seq = ?2 WHERE member_key = ?1`, member, seq); err != nil {
			return err
		}
	}
	clear(g.behind)
	return nil
}

// write updates the row of a conversation, with its indexed columns only if they change.
func (g *Group) write(t *Timeline) error {
	if t.shifted {
		return g.Exec(`UPDATE conversations SET last_seq = ?2, active = ?3, moved = ?4, speaker = ?5, spoke = ?6, period = ?7, expires = ?8
			WHERE conv_key = ?1`, t.Key, t.LastSeq, t.active, g.Stamp, t.lastSender, t.lastSent, rows.PeriodOf(t.active), t.expires)
	}
	return g.Exec(`UPDATE conversations SET last_seq = ?2, active = ?3, moved = ?4, speaker = ?5, spoke = ?6
		WHERE conv_key = ?1`, t.Key, t.LastSeq, t.active, g.Stamp, t.lastSender, t.lastSent)
}

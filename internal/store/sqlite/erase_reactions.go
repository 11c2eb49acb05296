package sqlite

import (
	"math"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// boundOf is the last change of a conversation in which e takes reactions back.
func (g *group) boundOf(e erasure, conv int64) (bound int64, err error) {
	bound = math.MaxInt64
	_, err = g.row(func(r *sqlite3.Stmt) { bound = r.ColumnInt64(0) },
		`SELECT change_seq FROM erasure_bounds WHERE erasure_key = ?1 AND conv_key = ?2`, e.key, conv)
	return bound, err
}

// takeBack takes away what a client reacted with under m up to the change bound, each
// emoji by a change of its own.
func (g *group) takeBack(at *conversation, m subject, client string, bound int64, now skein.Millis) error {
	for _, r := range slices.Clone(m.Reactions) {
		due, err := g.row(nil, `SELECT 1 FROM reactions
			WHERE conv_key = ?1 AND seq = ?2 AND emoji = ?3 AND client_id = ?4 AND place <= ?5`,
			at.key, m.Seq, r.Emoji, client, bound)
		if err != nil {
			return err
		}
		if !due {
			continue
		}
		m.Reactions = slices.Clone(m.Reactions) // the hook was handed the list as it was
		c := skein.Change{Seq: at.Changes + 1, Kind: skein.ChangeReact, By: client, Emoji: r.Emoji, At: now}
		if _, err := g.react(at.key, &m, c); err != nil {
			return err
		}
		if err := g.record(*at, &m, c); err != nil {
			return err
		}
		at.Changes = c.Seq
	}
	return nil
}

// eraseBefore is called before a client reacts to a message. If an erasure of a former
// holder of its id is under way, what that one reacted with goes from this message now,
// and the erasure takes nothing that comes to this conversation from here on.
func (g *group) eraseBefore(at *conversation, id skein.ID, client string) error {
	var last erasure
	found, err := g.row(func(r *sqlite3.Stmt) { last.key = r.ColumnInt64(0) },
		`SELECT erasure_key FROM erasures WHERE app_key = `+appKey+` AND client_id = ?2 ORDER BY erasure_key DESC LIMIT 1`,
		at.App, client)
	if err != nil || !found {
		return err
	}
	if err := g.exec(`INSERT INTO erasure_bounds (erasure_key, conv_key, change_seq)
		SELECT erasure_key, ?3, ?4 FROM erasures WHERE app_key = `+appKey+` AND client_id = ?2
		ON CONFLICT DO NOTHING`, at.App, client, at.key, at.Changes); err != nil {
		return err
	}
	bound, err := g.boundOf(last, at.key)
	if err != nil {
		return err
	}
	m, err := g.subject(*at, id, "")
	if err != nil {
		return err
	}
	return g.takeBack(at, m, client, bound, g.now)
}

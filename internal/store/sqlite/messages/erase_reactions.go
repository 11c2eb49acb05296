package messages

import (
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// takeBack takes away what the client of an erasure reacted with under m, each emoji by
// a change of its own.
func (g group) takeBack(at *tx.ConvRow, m subject, e tx.Erasure, now skein.Millis) error {
	for _, r := range slices.Clone(m.Reactions) {
		due, err := g.Row(func(r *sqlite3.Stmt) { m.by = r.ColumnInt64(0) }, `SELECT incarnation FROM reactions
			WHERE conv_key = ?1 AND seq = ?2 AND emoji = ?3 AND client_id = ?4 AND incarnation <= ?5`,
			at.Key, m.Seq, r.Emoji, e.Client, e.Incarnation)
		if err != nil {
			return err
		}
		if !due {
			continue
		}
		m.Reactions = slices.Clone(m.Reactions) // the hook was handed the list as it was
		c := skein.Change{Seq: at.Changes + 1, Kind: skein.ChangeReact, By: e.Client, Emoji: r.Emoji, At: now}
		if _, err := g.react(at.Key, &m, c); err != nil {
			return err
		}
		if err := g.record(*at, &m, c); err != nil {
			return err
		}
		at.Changes = c.Seq
	}
	return nil
}

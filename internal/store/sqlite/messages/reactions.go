package messages

import (
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Table reactions says who reacted with what. Column reactions of messages is the summary
// that readers get: each emoji in the order of its first use, its count, and the first
// clients by name. Every commit that changes one changes the other.

// react adds or removes a client's reaction to m.
func (g group) react(conv int64, m *subject, c skein.Change) (bool, error) {
	if c.By == "" {
		return false, skein.Missing("client_id")
	}
	if err := m.mustBeNormal(); err != nil {
		return false, err
	}
	i := slices.IndexFunc(m.Reactions, func(r skein.Reaction) bool { return r.Emoji == c.Emoji })
	if c.On {
		return g.addReaction(conv, m, c, i)
	}
	return g.dropReaction(conv, m, c, i)
}

// addReaction adds to the emoji at index i of the summary; -1: it is a new emoji.
func (g group) addReaction(conv int64, m *subject, c skein.Change, i int) (bool, error) {
	if i < 0 && len(m.Reactions) >= skein.MaxReactions {
		return false, skein.About(skein.ErrTooLarge, "emoji")
	}
	others, err := g.Row(nil, `SELECT 1 FROM reactions WHERE conv_key = ?1 AND seq = ?2 AND emoji = ?3 AND client_id = ?4`,
		conv, m.Seq, c.Emoji, c.By)
	if err != nil {
		return false, err
	}
	set, err := g.Change(`INSERT INTO reactions (conv_key, seq, emoji, client_id, place, incarnation) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT DO UPDATE SET place = excluded.place, incarnation = excluded.incarnation WHERE incarnation <> excluded.incarnation`,
		conv, m.Seq, c.Emoji, c.By, c.Seq, m.by)
	if err != nil || !set {
		return false, err
	}
	if others && i >= 0 { // it replaces the reaction of an earlier incarnation
		m.Reactions[i].Clients, err = g.firstToReact(conv, m.Seq, c.Emoji)
		return true, err
	}
	if i < 0 {
		m.Reactions = append(m.Reactions, skein.Reaction{Emoji: c.Emoji})
		i = len(m.Reactions) - 1
	}
	r := &m.Reactions[i]
	r.Count++
	if len(r.Clients) < skein.MaxReactionClients {
		r.Clients = append(r.Clients, c.By)
	}
	return true, nil
}

// dropReaction removes from the emoji at index i of the summary.
func (g group) dropReaction(conv int64, m *subject, c skein.Change, i int) (bool, error) {
	dropped, err := g.Change(`DELETE FROM reactions WHERE conv_key = ?1 AND seq = ?2 AND emoji = ?3 AND client_id = ?4 AND incarnation = ?5`,
		conv, m.Seq, c.Emoji, c.By, m.by)
	if err != nil || !dropped || i < 0 {
		return dropped, err
	}
	r := &m.Reactions[i]
	r.Count--
	if r.Count == 0 {
		if m.Reactions = slices.Delete(m.Reactions, i, i+1); len(m.Reactions) == 0 {
			m.Reactions = nil
		}
		return true, nil
	}
	if slices.Contains(r.Clients, c.By) {
		r.Clients, err = g.firstToReact(conv, m.Seq, c.Emoji)
	}
	return true, err
}

// firstToReact are the clients that the summary names.
func (g group) firstToReact(conv, seq int64, emoji string) (clients []string, err error) {
	err = g.Rows(func(r *sqlite3.Stmt) { clients = append(clients, r.ColumnText(0)) },
		firstToReact, conv, seq, emoji, skein.MaxReactionClients)
	return clients, err
}

const firstToReact = `SELECT client_id FROM reactions WHERE conv_key = ?1 AND seq = ?2 AND emoji = ?3
	ORDER BY place LIMIT ?4`

// takeBack removes the reactions to m of the client of an erasure, one change for each emoji.
func (g group) takeBack(at *tx.ConvRow, m subject, e tx.Erasure, now skein.Millis) (taken int, err error) {
	for _, r := range slices.Clone(m.Reactions) {
		due, err := g.Row(func(r *sqlite3.Stmt) { m.by = r.ColumnInt64(0) }, `SELECT incarnation FROM reactions
			WHERE conv_key = ?1 AND seq = ?2 AND emoji = ?3 AND client_id = ?4 AND incarnation <= ?5`,
			at.Key, m.Seq, r.Emoji, e.Client, e.Incarnation)
		if err != nil {
			return taken, err
		}
		if !due {
			continue
		}
		m.Reactions = slices.Clone(m.Reactions) // the hook holds the list as it was
		c := skein.Change{Seq: at.Changes + 1, Kind: skein.ChangeReact, By: e.Client, Emoji: r.Emoji, At: now}
		if _, err := g.react(at.Key, &m, c); err != nil {
			return taken, err
		}
		if err := g.record(*at, &m, c); err != nil {
			return taken, err
		}
		at.Changes = c.Seq
		taken++
	}
	return taken, nil
}

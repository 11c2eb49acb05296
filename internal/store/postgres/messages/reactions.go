package messages

import (
	"context"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// Table reactions says who reacted with what. Column reactions of messages is the summary
// that readers get: each emoji in the order of its first use, its count, and the first
// clients by name. Every transaction that changes one changes the other.

// react adds or removes a client's reaction to m.
func (t transaction) react(ctx context.Context, conv int64, m *subject, c skein.Change) (bool, error) {
	if c.By == "" {
		return false, skein.Missing("client_id")
	}
	if err := m.mustBeNormal(); err != nil {
		return false, err
	}
	i := slices.IndexFunc(m.Reactions, func(r skein.Reaction) bool { return r.Emoji == c.Emoji })
	if c.On {
		return t.addReaction(ctx, conv, m, c, i)
	}
	return t.dropReaction(ctx, conv, m, c, i)
}

// addReaction adds to the emoji at index i of the summary; -1: it is a new emoji.
func (t transaction) addReaction(ctx context.Context, conv int64, m *subject, c skein.Change, i int) (bool, error) {
	if i < 0 && len(m.Reactions) >= skein.MaxReactions {
		return false, skein.About(skein.ErrTooLarge, "emoji")
	}
	former, err := t.conn().exists(ctx, `SELECT 1 FROM reactions WHERE conv_key = $1 AND seq = $2 AND emoji = $3 AND client_id = $4`,
		conv, m.Seq, c.Emoji, c.By)
	if err != nil {
		return false, err
	}
	set, err := t.changes(ctx, `INSERT INTO reactions (conv_key, seq, emoji, client_id, place, incarnation) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (conv_key, seq, emoji, client_id) DO UPDATE SET place = excluded.place, incarnation = excluded.incarnation
			WHERE reactions.incarnation <> excluded.incarnation`,
		conv, m.Seq, c.Emoji, c.By, c.Seq, m.by)
	if err != nil || !set {
		return false, err
	}
	if former && i >= 0 { // it replaces the reaction of an earlier incarnation
		m.Reactions[i].Clients, err = t.firstToReact(ctx, conv, m.Seq, c.Emoji)
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
func (t transaction) dropReaction(ctx context.Context, conv int64, m *subject, c skein.Change, i int) (bool, error) {
	dropped, err := t.changes(ctx, `DELETE FROM reactions WHERE conv_key = $1 AND seq = $2 AND emoji = $3 AND client_id = $4 AND incarnation = $5`,
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
		r.Clients, err = t.firstToReact(ctx, conv, m.Seq, c.Emoji)
	}
	return true, err
}

// firstToReact are the clients that the summary names.
func (t transaction) firstToReact(ctx context.Context, conv, seq int64, emoji string) ([]string, error) {
	return t.conn().texts(ctx, `SELECT client_id FROM reactions WHERE conv_key = $1 AND seq = $2 AND emoji = $3 ORDER BY place LIMIT $4`,
		conv, seq, emoji, skein.MaxReactionClients)
}

// takeBack removes the reactions to m of the client of an erasure, one change for each emoji.
func (t transaction) takeBack(ctx context.Context, at *tx.ConvRow, m subject, e erasure) (taken int, err error) {
	for _, r := range slices.Clone(m.Reactions) {
		err := t.QueryRow(ctx, `SELECT incarnation FROM reactions
			WHERE conv_key = $1 AND seq = $2 AND emoji = $3 AND client_id = $4 AND incarnation <= $5`,
			at.Key, m.Seq, r.Emoji, e.client, e.incarnation).Scan(&m.by)
		due, err := tx.Found(err)
		if err != nil {
			return taken, err
		}
		if !due {
			continue
		}
		m.Reactions = slices.Clone(m.Reactions) // the hook holds the list as it was
		c := skein.Change{Seq: at.Changes + 1, Kind: skein.ChangeReact, By: e.client, Emoji: r.Emoji, At: e.at}
		if _, err := t.react(ctx, at.Key, &m, c); err != nil {
			return taken, err
		}
		if err := t.record(ctx, *at, &m, c); err != nil {
			return taken, err
		}
		at.Changes = c.Seq
		taken++
	}
	return taken, nil
}

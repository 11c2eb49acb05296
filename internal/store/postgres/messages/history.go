package messages

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// Messages reads a range; see store.Messages.
func (s *Store) Messages(ctx context.Context, app string, conv skein.ID, r skein.SeqRange) (page []skein.Message, err error) {
	if r.Limit <= 0 {
		return nil, nil
	}
	before := r.Before
	if before == 0 {
		before = math.MaxInt64
	}
	query := messagesUp
	if r.Newest {
		query = messagesDown
	}
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, query, app, conv, c.Now, r.Viewer, r.After, before, r.Limit)
		if err != nil {
			return err
		}
		page, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (skein.Message, error) { return tx.ReadSeen(row, conv) })
		return err
	})
	return page, err
}

const (
	messagesBetween = `SELECT ` + tx.MessageColumns + `, ` + tx.HiddenFrom + `$4) FROM messages m
		WHERE m.conv_key = (` + tx.LivingConvKey + `) AND m.seq > $5 AND m.seq < $6`
	messagesUp   = messagesBetween + ` ORDER BY m.seq LIMIT $7`
	messagesDown = messagesBetween + ` ORDER BY m.seq DESC LIMIT $7`
)

// Message is one message; see store.Messages.
func (s *Store) Message(ctx context.Context, app string, conv, id skein.ID, viewer string) (m skein.Message, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) (err error) {
		m, err = tx.ReadSeen(c.QueryRow(ctx, `SELECT `+tx.MessageColumns+`, `+tx.HiddenFrom+`$5) FROM messages m
			WHERE m.id = $4 AND m.conv_key = (`+tx.LivingConvKey+`)`, app, conv, c.Now, id, viewer), conv)
		return tx.Missing(err, skein.ErrUnknownMessage)
	})
	if err != nil {
		return skein.Message{}, err
	}
	return m, nil
}

// Changes reads a range of the log; see store.Changes.
func (s *Store) Changes(ctx context.Context, app string, conv skein.ID, r skein.ChangeRange) (page []skein.Change, err error) {
	if r.Limit <= 0 {
		return nil, nil
	}
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, changesAfter, app, conv, c.Now, r.Viewer, r.After, r.Limit)
		if err != nil {
			return err
		}
		page, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (skein.Change, error) { return readChange(row, conv, r.Viewer) })
		return err
	})
	return page, err
}

const changesAfter = `SELECT ` + tx.MessageColumns + `, ` + tx.HiddenFrom + `$4),
		l.change_seq, l.kind, l.client_id, l.at, l.emoji, l.on_off
	FROM changes l JOIN messages m ON m.conv_key = l.conv_key AND m.seq = l.seq
	WHERE l.conv_key = (` + tx.LivingConvKey + `) AND l.change_seq > $5 ORDER BY l.change_seq LIMIT $6`

// readChange reads one row of changesAfter. When another client hid a message, the viewer
// gets an empty change.
func readChange(row pgx.Row, conv skein.ID, viewer string) (c skein.Change, err error) {
	c.Message, err = tx.ReadSeen(row, conv, &c.Seq, &c.Kind, &c.By, &c.At, &c.Emoji, &c.On)
	if c.Kind == skein.ChangeHide && viewer != "" && c.By != viewer {
		return skein.Change{Seq: c.Seq, Kind: skein.ChangeNone, At: c.At}, err
	}
	return c, err
}

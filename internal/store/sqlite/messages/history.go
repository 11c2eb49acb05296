package messages

import (
	"context"
	"math"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Messages reads a range; see store.Messages.
func (s *Store) Messages(ctx context.Context, app string, conv skein.ID, r skein.SeqRange) ([]skein.Message, error) {
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
	now := s.db.Millis()
	page := make([]skein.Message, 0, min(r.Limit, maxPrepared))
	see := func(c connection) error {
		err := c.Rows(func(row *sqlite3.Stmt) { page = append(page, tx.ReadMessage(row, conv)) },
			query, app, conv, now, r.After, before, r.Limit)
		if err != nil {
			return err
		}
		return c.blankHidden(app, conv, now, r.Viewer, page)
	}
	var err error
	if r.Viewer == "" {
		err = tx.Read(ctx, s.db, app, see)
	} else { // two queries
		err = tx.Snapshot(ctx, s.db, app, see)
	}
	if err != nil {
		return nil, err
	}
	return page, nil
}

// maxPrepared bounds how many rows a page allocates before it knows how many there are.
const maxPrepared = 200

const (
	messagesBetween = `SELECT ` + tx.MessageColumns + ` FROM messages
		WHERE conv_key = (` + tx.LivingConvKey + `) AND seq > ?4 AND seq < ?5`
	messagesUp   = messagesBetween + ` ORDER BY seq LIMIT ?6`
	messagesDown = messagesBetween + ` ORDER BY seq DESC LIMIT ?6`
)

// Message is one message; see store.Messages.
func (s *Store) Message(ctx context.Context, app string, conv, id skein.ID, viewer string) (m skein.Message, err error) {
	now := s.db.Millis()
	err = tx.Read(ctx, s.db, app, func(c connection) error {
		found, err := c.Row(func(r *sqlite3.Stmt) { m = tx.ReadSeen(r, conv) },
			`SELECT `+tx.MessageColumns+`, `+tx.HiddenFrom+`?5) FROM messages m
				WHERE id = ?4 AND conv_key = (`+tx.LivingConvKey+`)`,
			app, conv, now, id, viewer)
		if err == nil && !found {
			err = skein.ErrUnknownMessage
		}
		return err
	})
	if err != nil {
		return skein.Message{}, err
	}
	return m, nil
}

// Changes reads a range of the log; see store.Changes.
func (s *Store) Changes(ctx context.Context, app string, conv skein.ID, r skein.ChangeRange) ([]skein.Change, error) {
	if r.Limit <= 0 {
		return nil, nil
	}
	now := s.db.Millis()
	page := make([]skein.Change, 0, min(r.Limit, maxPrepared))
	err := tx.Read(ctx, s.db, app, func(c connection) error {
		return c.Rows(func(row *sqlite3.Stmt) { page = append(page, readChange(row, conv, r.Viewer)) },
			changesAfter, app, conv, now, r.Viewer, r.After, r.Limit)
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

const changesAfter = `SELECT ` + tx.MessageColumns + `, ` + tx.HiddenFrom + `?4),
		change_seq, kind, l.client_id, at, emoji, on_off
	FROM changes l CROSS JOIN messages m ON m.message_key = l.message_key
	WHERE l.conv_key = (` + tx.LivingConvKey + `) AND change_seq > ?5 ORDER BY change_seq LIMIT ?6`

// readChange copies one row of changesAfter. When another client hid a message, the viewer
// gets an empty change.
func readChange(r *sqlite3.Stmt, conv skein.ID, viewer string) skein.Change {
	const from = tx.MessageColumnCount + 1
	c := skein.Change{
		Seq:  r.ColumnInt64(from),
		Kind: engine.Small[skein.ChangeKind](r, from+1),
		By:   r.ColumnText(from + 2),
		At:   engine.Millis(r, from+3),
	}
	if c.Kind == skein.ChangeHide && viewer != "" && c.By != viewer {
		return skein.Change{Seq: c.Seq, Kind: skein.ChangeNone, At: c.At}
	}
	c.Emoji = r.ColumnText(from + 4)
	c.On = r.ColumnBool(from + 5)
	c.Message = tx.ReadSeen(r, conv)
	return c
}

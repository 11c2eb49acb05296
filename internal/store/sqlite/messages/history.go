package messages

import (
	"context"
	"math"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
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

// maxPrepared bounds the room that is made before it is known how many there are.
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

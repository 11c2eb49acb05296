package messages

import (
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// FindMessages searches messages; see store.Messages. It reads a piece of the conversation:
// an index by sender or type would make every message dearer.
func (s *Store) FindMessages(ctx context.Context, app string, conv skein.ID, q skein.MessageQuery) (found skein.FoundMessages, err error) {
	if q.Limit <= 0 {
		return found, nil
	}
	now := s.db.Millis()
	err = tx.Search(ctx, s.db, app, "msg.find", func(c connection) error {
		found = skein.FoundMessages{}
		at, err := c.Conversation(app, conv, now)
		if errors.Is(err, skein.ErrUnknownConversation) {
			return nil
		}
		if err != nil {
			return err
		}
		piece, err := c.pieceOf(at, q)
		if err != nil {
			return err
		}
		err = c.findIn(at, piece, q, &found)
		if err != nil {
			return err
		}
		piece.End(&found, q)
		return c.blankHidden(app, conv, now, q.Viewer, found.Messages)
	})
	if err != nil {
		return skein.FoundMessages{}, err
	}
	return found, nil
}

func (c connection) findIn(conv tx.ConvRow, p rows.Piece, q skein.MessageQuery, found *skein.FoundMessages) error {
	where := tx.Filter{}
	where.And(`conv_key = ? AND seq > ? AND seq < ?`, conv.Key, p.After, p.Before)
	if q.Sender != "" {
		where.And(`sender = ?`, q.Sender)
	}
	if q.Types != nil {
		where.And(`type IN (`+tx.Marks(len(q.Types))+`)`, tx.Anys(q.Types)...)
	}
	if q.Since > 0 {
		where.And(`created >= ?`, q.Since)
	}
	if q.Until > 0 {
		where.And(`created < ?`, q.Until)
	}
	order := `seq`
	if q.Newest {
		order = `seq DESC`
	}
	return c.Ask(func(r *sqlite3.Stmt) { found.Messages = append(found.Messages, tx.ReadMessage(r, conv.ID)) },
		`SELECT `+tx.MessageColumns+` FROM messages WHERE `+where.SQL()+` ORDER BY `+order+` LIMIT ?`, append(where.Args, q.Limit))
}

// pieceOf is what one query reads; see rows.PieceOf.
func (c connection) pieceOf(conv tx.ConvRow, q skein.MessageQuery) (rows.Piece, error) {
	return rows.PieceOf(q, conv.LastSeq, func(seq int64) (created skein.Millis, found bool, err error) {
		found, err = c.Row(func(r *sqlite3.Stmt) { created = engine.Millis(r, 0) },
			`SELECT created FROM messages WHERE conv_key = ?1 AND seq = ?2`, conv.Key, seq)
		return created, found, err
	})
}

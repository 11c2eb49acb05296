package messages

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/engine"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// searchTime bounds one search; a longer one is refused.
const searchTime = 2 * time.Second

// FindMessages searches messages; see store.Messages. It reads a piece of the conversation:
// an index by sender or type would make every message dearer.
func (s *Store) FindMessages(ctx context.Context, app string, conv skein.ID, q skein.MessageQuery) (found skein.FoundMessages, err error) {
	if q.Limit <= 0 {
		return found, nil
	}
	err = s.db.Read(ctx, app, func(ctx context.Context, t tx.Conn) error {
		c := connection{t}
		found = skein.FoundMessages{}
		at, err := c.Conversation(ctx, app, conv)
		if errors.Is(err, skein.ErrUnknownConversation) {
			return nil
		}
		if err == nil {
			_, err = c.Exec(ctx, fmt.Sprintf(`SET LOCAL statement_timeout = %d`, searchTime.Milliseconds()))
		}
		if err != nil {
			return err
		}
		piece, err := c.pieceOf(ctx, at, q)
		if err != nil {
			return err
		}
		if found.Messages, err = c.findIn(ctx, at, piece, q); err != nil {
			return err
		}
		piece.End(&found, q)
		return nil
	})
	if engine.Overtime(err) {
		err = skein.ErrRateLimited
	}
	if err != nil {
		return skein.FoundMessages{}, err
	}
	return found, nil
}

func (c connection) pieceOf(ctx context.Context, conv tx.ConvRow, q skein.MessageQuery) (rows.Piece, error) {
	return rows.PieceOf(q, conv.LastSeq, func(seq int64) (at skein.Millis, found bool, err error) {
		found, err = tx.Found(c.QueryRow(ctx, `SELECT created FROM messages WHERE conv_key = $1 AND seq = $2`, conv.Key, seq).Scan(&at))
		return at, found, err
	})
}

func (c connection) findIn(ctx context.Context, conv tx.ConvRow, p rows.Piece, q skein.MessageQuery) ([]skein.Message, error) {
	args := []any{conv.Key, p.After, p.Before, q.Viewer, q.Limit}
	var where strings.Builder
	and := func(term string, value any) {
		args = append(args, value)
		fmt.Fprintf(&where, ` AND `+term, len(args))
	}
	if q.Sender != "" {
		and(`m.sender = $%d`, q.Sender)
	}
	if q.Types != nil {
		and(`m.type = ANY ($%d::bigint[])`, q.Types)
	}
	if q.Since > 0 {
		and(`m.created >= $%d`, q.Since)
	}
	if q.Until > 0 {
		and(`m.created < $%d`, q.Until)
	}
	order := `m.seq`
	if q.Newest {
		order = `m.seq DESC`
	}
	found, err := c.Query(ctx, `SELECT `+tx.MessageColumns+`, `+tx.HiddenFrom+`$4) FROM messages m
		WHERE m.conv_key = $1 AND m.seq > $2 AND m.seq < $3`+where.String()+` ORDER BY `+order+` LIMIT $5`, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(row pgx.CollectableRow) (skein.Message, error) { return tx.ReadSeen(row, conv.ID) })
}

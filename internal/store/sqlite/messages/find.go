package messages

import (
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
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
		piece.end(&found, q)
		return c.blankHidden(app, conv, now, q.Viewer, found.Messages)
	})
	if err != nil {
		return skein.FoundMessages{}, err
	}
	return found, nil
}

func (c connection) findIn(conv tx.ConvRow, p piece, q skein.MessageQuery, found *skein.FoundMessages) error {
	where := tx.Filter{}
	where.And(`conv_key = ? AND seq > ? AND seq < ?`, conv.Key, p.after, p.before)
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

// piece is the seqs between two, both excluded. more reports whether the range goes on behind
// it in the order of the query.
type piece struct {
	after, before int64
	more          bool
}

// pieceOf is what one query reads: the part of the range that can lie within its times, and
// of that at most skein.MaxLooked messages.
func (c connection) pieceOf(conv tx.ConvRow, q skein.MessageQuery) (p piece, err error) {
	p = piece{after: max(q.After, 0), before: conv.LastSeq + 1}
	if q.Before > 0 {
		p.before = min(p.before, q.Before)
	}
	if q.Since > 0 {
		if p.after, _, err = c.around(conv.Key, p, q.Since-skein.MaxClockBack); err != nil {
			return p, err
		}
	}
	if q.Until > 0 {
		if _, p.before, err = c.around(conv.Key, p, q.Until+skein.MaxClockBack); err != nil {
			return p, err
		}
	}
	if p.before-p.after-1 > skein.MaxLooked {
		p.more = true
		if q.Newest {
			p.after = p.before - 1 - skein.MaxLooked
		} else {
			p.before = p.after + 1 + skein.MaxLooked
		}
	}
	return p, nil
}

// around finds by binary search the two neighbouring seqs in a piece, or its ends, between
// which the messages' times pass a moment: the first is before it, the second is not.
func (c connection) around(conv int64, p piece, moment skein.Millis) (last, next int64, err error) {
	last, next = p.after, p.before
	for last+1 < next {
		middle := last + (next-last)/2
		var created skein.Millis
		found, err := c.Row(func(r *sqlite3.Stmt) { created = engine.Millis(r, 0) },
			`SELECT created FROM messages WHERE conv_key = ?1 AND seq = ?2`, conv, middle)
		switch {
		case err != nil:
			return 0, 0, err
		case found && created < moment:
			last = middle
		default:
			next = middle
		}
	}
	return last, next, nil
}

// end sets where the next query continues and how many messages this one read.
func (p piece) end(found *skein.FoundMessages, q skein.MessageQuery) {
	first, last := p.after+1, p.before-1 // that were looked at
	full := len(found.Messages) >= q.Limit
	if full {
		if at := found.Messages[len(found.Messages)-1].Seq; q.Newest {
			first = at
		} else {
			last = at
		}
	}
	found.Looked = int(max(0, last-first+1))
	if next := first; q.Newest && (p.more || full && next > p.after+1) {
		found.Next = next
	}
	if next := last; !q.Newest && (p.more || full && next < p.before-1) {
		found.Next = next
	}
}

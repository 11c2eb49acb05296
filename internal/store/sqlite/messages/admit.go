package messages

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Admit checks a transient message; see store.Messages.
func (s *Store) Admit(ctx context.Context, d skein.Draft) (conv skein.Conversation, err error) {
	now := s.db.Millis()
	err = tx.Snapshot(ctx, s.db, d.App, func(c connection) error {
		found, err := c.Conversation(d.App, d.Conv, now)
		if err != nil {
			return err
		}
		conv = found.Conversation
		return refusal(c, found.Key, found.MuteAll, d, now)
	})
	if err != nil {
		return skein.Conversation{}, err
	}
	return conv, nil
}

// senders looks up senders and members. A connection reads rows; a group uses the writer's
// memory first.
type senders interface {
	Sender(app, client string) (tx.Sender, error)
	Member(conv int64, client string) (s *tx.Member, err error) // nil: no member
	holds(conv int64, message skein.ID) (bool, error)
}

// refusal is why the sender of d may not send it to the conversation at now; nil: it may.
// The server role needs no membership and ignores mutes.
func refusal(w senders, conv int64, muteAll bool, d skein.Draft, now skein.Millis) error {
	if d.OnlyAgain {
		return skein.ErrUnknownMessage
	}
	by, err := w.Sender(d.App, d.Sender)
	switch {
	case err != nil:
		return err
	case by.BannedUntil > now:
		return skein.About(skein.ErrBanned, d.Sender)
	}
	if d.Need != skein.NeedServer {
		s, err := w.Member(conv, d.Sender)
		switch {
		case err != nil:
			return err
		case !s.MaySend(d.Need, muteAll, now):
			return skein.ErrForbidden
		}
	}
	if d.ReplyTo.IsZero() {
		return nil
	}
	there, err := w.holds(conv, d.ReplyTo)
	if err == nil && !there {
		return skein.About(skein.ErrUnknownMessage, "reply_to")
	}
	return err
}

// holds reports whether the conversation has the message.
func (c connection) holds(conv int64, message skein.ID) (bool, error) {
	return c.Row(nil, `SELECT 1 FROM messages WHERE id = ?2 AND conv_key = ?1`, conv, message)
}

func (g group) holds(conv int64, message skein.ID) (bool, error) {
	return g.conn().holds(conv, message)
}

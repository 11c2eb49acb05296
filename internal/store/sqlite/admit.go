package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// Admit checks a transient message; see store.Messages.
func (s *Store) Admit(ctx context.Context, d skein.Draft) (conv skein.Conversation, err error) {
	now := s.millis()
	err = s.snapshot(ctx, d.App, func(c *connection) error {
		found, err := c.conversation(d.App, d.Conv, now)
		if err != nil {
			return err
		}
		conv = found.Conversation
		return refusal(c, found.key, found.MuteAll, d, now)
	})
	if err != nil {
		return skein.Conversation{}, err
	}
	return conv, nil
}

// witness answers what is to be known about a sender: a connection from rows, a
// group from what it remembers first.
type witness interface {
	sender(app, client string) (sender, error)
	seat(conv int64, client string) (s *seat, err error) // nil: no member
	holds(conv int64, message skein.ID) (bool, error)
}

// refusal is why the sender of d may not send it into the conversation at now, or
// nil. The server role needs no membership and is not bound by a mute.
func refusal(w witness, conv int64, muteAll bool, d skein.Draft, now skein.Millis) error {
	by, err := w.sender(d.App, d.Sender)
	switch {
	case err != nil:
		return err
	case by.bannedUntil > now:
		return skein.About(skein.ErrBanned, d.Sender)
	}
	if d.Need != skein.NeedServer {
		s, err := w.seat(conv, d.Sender)
		switch {
		case err != nil:
			return err
		case !s.maySpeak(d.Need, muteAll, now):
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

// maySpeak reports whether who sits here, or nobody where s is nil, meets need and
// is not muted.
func (s *seat) maySpeak(need skein.Need, muteAll bool, now skein.Millis) bool {
	if s == nil {
		return need.Met(false, skein.RoleMember) && !muteAll
	}
	return need.Met(true, s.role) && !skein.Silenced(s.role, s.mutedUntil, muteAll, now)
}

func (c *connection) sender(app, client string) (s sender, err error) {
	found, err := c.row(func(r *sqlite3.Stmt) { s = sender{millisColumn(r, 0), r.ColumnInt64(1)} },
		`SELECT banned_until, incarnation FROM clients WHERE app_key = `+appKey+` AND id = ?2 AND deleted = 0`, app, client)
	if err == nil && !found {
		err = skein.About(skein.ErrUnknownClient, client)
	}
	return s, err
}

func (c *connection) seat(conv int64, client string) (s *seat, err error) {
	_, err = c.row(func(r *sqlite3.Stmt) {
		s = &seat{
			key:        r.ColumnInt64(0),
			role:       smallColumn[skein.Role](r, 1),
			mutedUntil: millisColumn(r, 2),
			read:       r.ColumnInt64(3),
		}
	}, `SELECT member_key, role, muted_until, max(join_seq - 1, cleared_seq, read_seq, sent_seq) FROM members WHERE conv_key = ?1 AND client_id = ?2`, conv, client)
	return s, err
}

// holds reports whether the message is one of the conversation's.
func (c *connection) holds(conv int64, message skein.ID) (bool, error) {
	return c.row(nil, `SELECT 1 FROM messages WHERE id = ?2 AND conv_key = ?1`, conv, message)
}

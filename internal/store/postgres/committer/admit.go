package committer

import (
	"context"
	"errors"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// Admit checks a transient message; see store.Messages.
func (s *Store) Admit(ctx context.Context, d skein.Draft) (conv skein.Conversation, err error) {
	err = s.db.Read(ctx, d.App, func(ctx context.Context, t tx.Conn) error {
		found, err := t.Conversation(ctx, d.App, d.Conv)
		if err != nil {
			return err
		}
		conv = found.Conversation
		seen := sight{}
		if by, err := t.Sender(ctx, d.App, d.Sender); err == nil {
			seen.sender = &sender{by.BannedUntil, by.Incarnation}
		} else if !errors.Is(err, skein.ErrUnknownClient) {
			return err
		}
		if d.Need != skein.NeedServer {
			m := new(member)
			there, err := tx.Found(t.QueryRow(ctx, `SELECT role, muted_until FROM members WHERE conv_key = $1 AND client_id = $2`, found.Key, d.Sender).
				Scan(&m.role, &m.mutedUntil))
			if err != nil {
				return err
			}
			if there {
				seen.member = m
			}
		}
		if !d.ReplyTo.IsZero() {
			err = t.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM messages WHERE id = $1 AND conv_key = $2)`, d.ReplyTo, found.Key).Scan(&seen.replyThere)
			if err != nil {
				return err
			}
		}
		return seen.refusal(d, conv.MuteAll, t.Now)
	})
	if err != nil {
		return skein.Conversation{}, err
	}
	return conv, nil
}

// sender is what a message needs to know about its sender.
type sender struct {
	bannedUntil skein.Millis
	incarnation int64
}

// member is what a message needs to know about its sender as a member.
type member struct {
	key        int64
	role       skein.Role
	mutedUntil skein.Millis
	read       int64 // skein.Member.Read; may be too small while the member is the one that sent last
}

// sight is what was seen of the things that decide about a draft. Nil: it is not there.
type sight struct {
	sender     *sender
	member     *member
	replyThere bool
}

// refusal is why the sender of d may not send it to the conversation at now; nil: it may.
// The server role needs no membership and ignores mutes.
func (s sight) refusal(d skein.Draft, muteAll bool, now skein.Millis) error {
	switch {
	case d.OnlyAgain:
		return skein.ErrUnknownMessage
	case s.sender == nil:
		return skein.About(skein.ErrUnknownClient, d.Sender)
	case s.sender.bannedUntil > now:
		return skein.About(skein.ErrBanned, d.Sender)
	case d.Need != skein.NeedServer && !s.maySend(d.Need, muteAll, now):
		return skein.ErrForbidden
	case !d.ReplyTo.IsZero() && !s.replyThere:
		return skein.About(skein.ErrUnknownMessage, "reply_to")
	}
	return nil
}

func (s sight) maySend(need skein.Need, muteAll bool, now skein.Millis) bool {
	if s.member == nil {
		return rows.MaySend(false, skein.RoleMember, 0, need, muteAll, now)
	}
	return rows.MaySend(true, s.member.role, s.member.mutedUntil, need, muteAll, now)
}

package chat

import (
	"context"

	"github.com/skein-im/skein"
)

// MemberUpdate is what becomes of a member; nil leaves what is.
type MemberUpdate struct {
	Role       *skein.Role
	MutedUntil *skein.Millis // zero: may speak
	Nickname   *string       // empty: none
}

// UpdateMember changes a member's role (the owner and the backend may), its mute
// (owner and admins, of those below them) or its nickname (those, and itself):
// all or nothing. A new owner makes the one before it an admin. Errors:
// skein.ErrUnknownConversation, skein.ErrUnknownClient for who is no member,
// skein.ErrForbidden, skein.ErrConvType for a role in a private pair.
func (s *Service) UpdateMember(ctx context.Context, by skein.Actor, id skein.ID, client string, update MemberUpdate) (skein.Member, error) {
	var err error
	if update.Nickname, err = s.screenGiven(ctx, by, "nickname", update.Nickname); err != nil {
		return skein.Member{}, err
	}
	var me *skein.Member
	var before skein.Member
	authority := s.authority(by, func(a asking) error {
		me = a.me
		if update.Role != nil && fixed(a.conv.Type) {
			return toGiveRoles(a)
		}
		return toDo(a)
	})
	conv, after, err := s.store.UpdateMember(ctx, by.App.ID, id, authority, client, s.now(), func(conv skein.Conversation, m *skein.Member) error {
		before = *m
		if err := update.allowed(s.asks(by, conv, me), *m); err != nil {
			return err
		}
		setIf(&m.Role, update.Role)
		setIf(&m.MutedUntil, update.MutedUntil)
		setIf(&m.Nickname, update.Nickname)
		return nil
	})
	if err != nil {
		return after, named(err, client)
	}
	if before != after {
		s.tell(by, skein.EventConvUpdated, id, func(n *skein.Notice) { n.Conversation, n.Clients = &conv, []string{client} })
	}
	return after, nil
}

// allowed holds an update of other against who asks.
func (u MemberUpdate) allowed(a asking, other skein.Member) error {
	if a.backend {
		return nil
	}
	self, above := a.me.Client == other.Client, a.me.Role > other.Role
	if u.Role != nil {
		if err := toGiveRoles(a); err != nil {
			return err
		}
	}
	switch {
	case u.Role != nil && self && *u.Role != skein.RoleOwner:
		return &skein.Fault{Err: skein.ErrForbidden, Field: "role", Detail: "name the next owner instead"}
	case u.MutedUntil != nil && !above:
		return skein.About(skein.ErrForbidden, "mute_until")
	case u.Nickname != nil && !self && !above:
		return skein.About(skein.ErrForbidden, "nickname")
	case u.Nickname != nil && *u.Nickname != "" && toSpeak(a) != nil:
		return skein.About(skein.ErrForbidden, "nickname")
	}
	return nil
}

// MuteAll lets only owner and admins speak in a group or room, or all again.
// Errors: skein.ErrUnknownConversation, skein.ErrForbidden, skein.ErrConvType.
func (s *Service) MuteAll(ctx context.Context, by skein.Actor, id skein.ID, on bool) error {
	was, now := on, s.now()
	conv, err := s.store.UpdateConversation(ctx, by.App.ID, id, s.authority(by, toMuteAll), func(c *skein.Conversation) error {
		was = c.MuteAll
		if was != on {
			c.MuteAll, c.Updated, c.Active = on, now, now
		}
		return nil
	})
	if err == nil && was != on {
		s.tell(by, skein.EventConvUpdated, id, func(n *skein.Notice) { n.Conversation = &conv })
	}
	return err
}

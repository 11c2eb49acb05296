package chat

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Members is a page of the members in order of joining, and how many there are.
// Errors: skein.ErrUnknownConversation, skein.ErrForbidden.
func (s *Service) Members(ctx context.Context, by skein.Actor, id skein.ID, q skein.MemberQuery) (skein.MemberPage, int, error) {
	conv, _, err := s.admit(ctx, by, id)
	if err != nil || q.Offset >= conv.Members && q.After.IsZero() {
		return skein.MemberPage{}, conv.Members, err
	}
	page, err := s.store.Members(ctx, by.App.ID, id, q)
	return page, conv.Members, err
}

// AddMembers adds clients, all or none; who is a member already is no error.
// Errors: skein.ErrUnknownConversation, skein.ErrForbidden, skein.ErrConvType for a
// private pair, skein.ErrUnknownClient naming the first, skein.ErrTooLarge.
func (s *Service) AddMembers(ctx context.Context, by skein.Actor, id skein.ID, clients []string) error {
	by.Need = addingNeed(by.App.Settings, by.Need)
	conv, _, err := s.admit(ctx, by, id)
	if err != nil {
		return err
	}
	if fixed(conv.Type) {
		if by.Server() {
			return aboutPair
		}
		return skein.ErrForbidden
	}
	return s.addMembers(ctx, by, conv, clients, false)
}

// Join adds the client to a chat room. Errors: skein.ErrUnknownConversation,
// skein.ErrConvType for what is no room, skein.ErrUnknownClient, skein.ErrForbidden for
// who was removed from it.
func (s *Service) Join(ctx context.Context, by skein.Actor, id skein.ID, client string) error {
	conv, _, err := s.admit(ctx, by, id)
	if err != nil {
		return err
	}
	if conv.Type != skein.Room {
		return &skein.Fault{Err: skein.ErrConvType, Field: "conv_id", Detail: "not a chat room"}
	}
	return s.addMembers(ctx, by, conv, []string{client}, true)
}

// aboutPair refuses to change who is in a private pair.
var aboutPair = &skein.Fault{Err: skein.ErrConvType, Field: "conv_id", Detail: "the members of a private conversation cannot change"}

func (s *Service) addMembers(ctx context.Context, by skein.Actor, conv skein.Conversation, clients []string, itself bool) error {
	limit := memberLimit(by)
	limit.Itself = itself
	if conv.Type == skein.Room {
		limit.Members = 0
	}
	added, err := s.store.AddMembers(ctx, by.App.ID, conv.ID, clients, s.now(), limit)
	if err != nil || len(added) == 0 {
		return err
	}
	s.tell(by, skein.EventMembersAdded, conv.ID, func(n *skein.Notice) { n.Clients = added })
	return nil
}

// memberLimit is what holds for members whom the caller adds.
func memberLimit(by skein.Actor) store.MemberLimit {
	s := by.App.Settings
	return store.MemberLimit{Members: s.MaxMembers, PerClient: s.MaxConversations, Adder: by.Client, AddBy: s.AddBy}
}

// RemoveMembers takes clients out; who is no member is no error. A client takes out
// only those below it. Errors: skein.ErrUnknownConversation, skein.ErrForbidden,
// skein.ErrConvType for a private pair, and for a ban elsewhere than in a room. Who is
// removed from a room does not join it by itself until banUntil (nil: ever), or until
// it is added.
func (s *Service) RemoveMembers(ctx context.Context, by skein.Actor, id skein.ID, clients []string, banUntil *skein.Millis) error {
	conv, me, err := s.admit(ctx, by, id)
	if err != nil {
		return err
	}
	if fixed(conv.Type) {
		return aboutPair
	}
	if me != nil {
		if err := s.below(ctx, by, id, *me, clients); err != nil {
			return err
		}
	}
	if conv.Type != skein.Room {
		if banUntil != nil {
			return &skein.Fault{Err: skein.ErrConvType, Field: "ban_until", Detail: "for chat rooms only"}
		}
		return s.removeMembers(ctx, by, id, clients)
	}
	ban := store.Ban{Until: skein.Forever, Spare: by.Client}
	setIf(&ban.Until, banUntil)
	removed, err := s.store.Expel(ctx, by.App.ID, id, clients, s.now(), ban)
	return s.tellRemoved(by, id, removed, err)
}

// Leave takes the client out. Errors: skein.ErrUnknownConversation,
// skein.ErrForbidden for who is no member, skein.ErrConvType for a private pair.
func (s *Service) Leave(ctx context.Context, by skein.Actor, id skein.ID, client string) error {
	conv, _, err := s.admit(ctx, by, id)
	if err != nil {
		return err
	}
	if fixed(conv.Type) {
		return aboutPair
	}
	return s.removeMembers(ctx, by, id, []string{client})
}

func (s *Service) removeMembers(ctx context.Context, by skein.Actor, id skein.ID, clients []string) error {
	removed, err := s.store.RemoveMembers(ctx, by.App.ID, id, clients, s.now())
	return s.tellRemoved(by, id, removed, err)
}

func (s *Service) tellRemoved(by skein.Actor, id skein.ID, removed []string, err error) error {
	if err != nil || len(removed) == 0 {
		return err
	}
	s.tell(by, skein.EventMembersRemoved, id, func(n *skein.Notice) { n.Clients, n.Also = removed, removed })
	return nil
}

// below refuses clients who are as high as me; oneself is allowed.
func (s *Service) below(ctx context.Context, by skein.Actor, id skein.ID, me skein.Member, clients []string) error {
	for _, client := range clients {
		if client == me.Client {
			continue
		}
		_, other, err := s.store.Conversation(ctx, by.App.ID, id, client)
		if err != nil {
			return err
		}
		if other != nil && other.Role >= me.Role {
			return skein.About(skein.ErrForbidden, client)
		}
	}
	return nil
}

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
// private pair, skein.ErrUnknownClient naming the first, skein.ErrTooLarge, those of Hooks.Ask.
func (s *Service) AddMembers(ctx context.Context, by skein.Actor, id skein.ID, clients []string) error {
	return s.addMembers(ctx, by, id, toAdd, clients, memberLimit(by))
}

// Join adds the client to a chat room. Errors: skein.ErrUnknownConversation,
// skein.ErrConvType for what is no room, skein.ErrUnknownClient, skein.ErrForbidden for
// who was removed from it, those of Hooks.Ask.
func (s *Service) Join(ctx context.Context, by skein.Actor, id skein.ID, client string) error {
	limit := memberLimit(by)
	limit.Itself = true
	return s.addMembers(ctx, by, id, toJoin, []string{client}, limit)
}

func (s *Service) addMembers(ctx context.Context, by skein.Actor, id skein.ID, r rule, clients []string, limit store.MemberLimit) error {
	if err := s.askAboutMembers(ctx, by, id, r, clients); err != nil {
		return err
	}
	added, err := s.store.AddMembers(ctx, by.App.ID, id, s.authority(by, r), clients, s.now(), limit)
	if err != nil || len(added) == 0 {
		return err
	}
	s.tell(by, skein.EventMembersAdded, id, func(n *skein.Notice) { n.Clients = added })
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
	ban := skein.Forever
	if banUntil != nil {
		ban = max(1, *banUntil)
	}
	return s.removeMembers(ctx, by, id, func(a asking) error {
		if err := toChangeMembers(a); err != nil || banUntil == nil || a.conv.Type == skein.Room {
			return err
		}
		return &skein.Fault{Err: skein.ErrConvType, Field: "ban_until", Detail: "for chat rooms only"}
	}, clients, ban)
}

// Leave takes the client out. Errors: skein.ErrUnknownConversation,
// skein.ErrForbidden for who is no member, skein.ErrConvType for a private pair.
func (s *Service) Leave(ctx context.Context, by skein.Actor, id skein.ID, client string) error {
	return s.removeMembers(ctx, by, id, toChangeMembers, []string{client}, 0)
}

func (s *Service) removeMembers(ctx context.Context, by skein.Actor, id skein.ID, r rule, clients []string, ban skein.Millis) error {
	removed, err := s.store.RemoveMembers(ctx, by.App.ID, id, s.authority(by, r), clients, s.now(), ban)
	if err != nil || len(removed) == 0 {
		return err
	}
	s.tell(by, skein.EventMembersRemoved, id, func(n *skein.Notice) { n.Clients, n.Also = removed, removed })
	return nil
}

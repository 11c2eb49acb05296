package chat

import (
	"context"
	"errors"
	"slices"

	"github.com/skein-im/skein"
)

// CreateConversation creates a conversation of creator with others, or answers the
// one a private pair has already. Type, Extend and TTL of draft are used, and its ID
// unless that is zero: where the conversation with that ID is there, it is a retry, and
// that one is answered. Errors: skein.ErrConflict for a retry of another type, or of one
// that was deleted;
// skein.ErrUnknownClient naming the first who is missing, skein.ErrBanned,
// skein.ErrMalformed for a private one that is no pair, skein.ErrTooLarge, those of Hooks.Ask.
func (s *Service) CreateConversation(ctx context.Context, by skein.Actor, creator string, others []string, draft skein.Conversation) (skein.Conversation, error) {
	now := s.now()
	members, err := firstMembers(creator, others, draft.Type, now)
	if err != nil {
		return draft, err
	}
	if draft.Type != skein.Room && len(members) > by.App.Settings.MaxMembers {
		return draft, tooManyMembers
	}
	if draft.Extend, err = s.screenName(ctx, by, draft.Extend); err != nil {
		return draft, err
	}
	draft.App, draft.Creator = by.App.ID, creator
	named := !draft.ID.IsZero()
	if !named {
		draft.ID = s.newID()
	} else if first, err := s.createdBefore(ctx, draft); !errors.Is(err, skein.ErrUnknownConversation) {
		return first, err
	}
	if err := s.ask(ctx, by, skein.Question{On: skein.BeforeConversation, Conv: draft.ID, ConvType: draft.Type, Clients: others, Extend: draft.Extend}); err != nil {
		return draft, err
	}
	draft.Created, draft.Active = now, now
	conv, created, err := s.store.CreateConversation(ctx, draft, members, memberLimit(by))
	if named && errors.Is(err, skein.ErrConflict) { // a try beside this one was faster
		if conv, err = s.createdBefore(ctx, draft); errors.Is(err, skein.ErrUnknownConversation) {
			err = &skein.Fault{Err: skein.ErrConflict, Field: "client_conv_id", Detail: "names a conversation that was deleted"}
		}
		return conv, err
	}
	if err != nil {
		return conv, err
	}
	if created {
		s.tell(by, skein.EventConvCreated, conv.ID, func(n *skein.Notice) { n.Conversation = &conv })
	}
	return conv, nil
}

// createdBefore answers a retry. It shows what the retry sent: whoever created the
// conversation may have left it, and does not see what it has become. Errors:
// skein.ErrUnknownConversation where there is none, skein.ErrConflict.
func (s *Service) createdBefore(ctx context.Context, draft skein.Conversation) (skein.Conversation, error) {
	first, _, err := s.store.Conversation(ctx, draft.App, draft.ID, "")
	if err == nil && first.Type != draft.Type {
		err = &skein.Fault{Err: skein.ErrConflict, Field: "client_conv_id", Detail: "names a conversation of another conv_type"}
	}
	return draft, err
}

var tooManyMembers = &skein.Fault{Err: skein.ErrTooLarge, Field: "to_client_ids", Detail: "more members than the app allows"}

// firstMembers is the creator, as owner except of a pair, and the others.
func firstMembers(creator string, others []string, t skein.ConvType, now skein.Millis) ([]skein.Member, error) {
	members := []skein.Member{{Client: creator, Role: skein.RoleOwner, Joined: now, JoinSeq: 1}}
	for _, id := range others {
		if id != creator {
			members = append(members, skein.Member{Client: id, Joined: now, JoinSeq: 1})
		}
	}
	if t != skein.Private {
		return members, nil
	}
	if len(members) != 2 {
		return nil, skein.Malformed("to_client_ids", "must name exactly one client other than client_id for conv_type 1")
	}
	members[0].Role = skein.RoleMember
	return members, nil
}

// FindConversations is a page of the app's conversations; a client sees its own.
func (s *Service) FindConversations(ctx context.Context, by skein.Actor, q skein.ConvQuery) (skein.ConvPage, error) {
	q.Member = by.Client
	return s.store.FindConversations(ctx, by.App.ID, q)
}

// Conversation is one conversation. Errors: skein.ErrUnknownConversation,
// skein.ErrForbidden.
func (s *Service) Conversation(ctx context.Context, by skein.Actor, id skein.ID) (skein.Conversation, error) {
	conv, _, err := s.admit(ctx, by, id)
	return conv, err
}

// UpdateConversations replaces the extension of all conversations that meet where and
// says how many there are;
// a client must manage each of them. Errors: skein.ErrUnknownConversation when none
// matches, skein.ErrMalformed when more than skein.MaxUpdated do,
// skein.ErrForbidden.
func (s *Service) UpdateConversations(ctx context.Context, by skein.Actor, where []skein.Condition, extend []byte) (updated int, err error) {
	if len(where) == 0 {
		return 0, skein.Malformed("where", "must not be empty")
	}
	if extend, err = s.screenName(ctx, by, extend); err != nil {
		return 0, err
	}
	if !by.Server() {
		if where, err = s.managed(ctx, by, where); err != nil {
			return 0, err
		}
	}
	ids, err := s.store.UpdateConversations(ctx, by.App.ID, s.authority(by, toDo), where, extend, s.now())
	if errors.Is(err, skein.ErrTooLarge) {
		return 0, skein.Malformed("where", "at most 1000 conversations may match")
	}
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		s.tellUpdated(ctx, by, id)
	}
	return len(ids), nil
}

// managed narrows where to the conversations of the calling client that meet it,
// all of which it must manage. Only its own are looked at, so that conditions tell
// nothing of the others.
func (s *Service) managed(ctx context.Context, by skein.Actor, where []skein.Condition) ([]skein.Condition, error) {
	page, err := s.store.FindConversations(ctx, by.App.ID, skein.ConvQuery{
		Where: where, Member: by.Client, Limit: skein.MaxUpdated + 1,
	})
	if err != nil {
		return nil, err
	}
	if len(page.Conversations) == 0 {
		return nil, s.whyNone(ctx, by, where)
	}
	if len(page.Conversations) > skein.MaxUpdated {
		return nil, skein.Malformed("where", "at most 1000 conversations may match")
	}
	in := skein.Condition{Field: skein.FieldConvID, Op: skein.In}
	for _, c := range page.Conversations {
		if _, _, err := s.admit(ctx, by, c.ID); err != nil {
			return nil, err
		}
		in.Values = append(in.Values, c.ID.String())
	}
	return append(slices.Clip(where), in), nil
}

// whyNone tells a conversation that was named and is another's from one that is not
// there.
func (s *Service) whyNone(ctx context.Context, by skein.Actor, where []skein.Condition) error {
	for _, c := range where {
		if c.Field != skein.FieldConvID || c.Op != skein.Eq {
			continue
		}
		text, _ := c.Values[0].(string)
		if id, err := skein.ParseID(text); err == nil {
			if _, _, err := s.admit(ctx, by, id); err != nil {
				return err
			}
		}
	}
	return skein.ErrUnknownConversation
}

// DeleteConversation deletes a conversation for everyone. Errors:
// skein.ErrUnknownConversation, skein.ErrForbidden.
func (s *Service) DeleteConversation(ctx context.Context, by skein.Actor, id skein.ID) error {
	members, err := s.store.DeleteConversation(ctx, by.App.ID, id, s.authority(by, toDo))
	if err != nil {
		return err
	}
	s.tell(by, skein.EventConvDeleted, id, func(n *skein.Notice) { n.Audience = nonNil(members) })
	return nil
}

// tell makes a notice about a conversation and tells it.
func (s *Service) tell(by skein.Actor, kind string, id skein.ID, fill func(*skein.Notice)) {
	n := skein.Notice{Kind: kind, App: by.App.ID, Conv: id, Time: s.now(), By: by.Client}
	fill(&n)
	s.events.Tell(n)
}

func (s *Service) tellUpdated(ctx context.Context, by skein.Actor, id skein.ID) {
	conv, _, err := s.store.Conversation(ctx, by.App.ID, id, "")
	if err != nil {
		return // gone meanwhile, and that is told too
	}
	s.tell(by, skein.EventConvUpdated, id, func(n *skein.Notice) { n.Conversation = &conv })
}

// nonNil keeps an empty audience from meaning "the members".
func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

package cache

import (
	"context"
	"errors"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// While a write is under way nothing that it may touch is kept or answered from memory.
// So a read after its commit, such as that of a delivery, reads the engine.

// AddMembers forgets who is a member; see store.Members.
func (s *Store) AddMembers(ctx context.Context, app string, id skein.ID, by store.Authority, clients []string, at skein.Millis, limit store.MemberLimit) ([]string, error) {
	defer s.conversations.write(convKey{app, id}, (*convEntry).forgetRoster)()
	return s.Store.AddMembers(ctx, app, id, by, clients, at, limit)
}

// RemoveMembers forgets who is a member; see store.Members.
func (s *Store) RemoveMembers(ctx context.Context, app string, id skein.ID, by store.Authority, clients []string, at, ban skein.Millis) ([]string, error) {
	defer s.conversations.write(convKey{app, id}, (*convEntry).forgetRoster)()
	return s.Store.RemoveMembers(ctx, app, id, by, clients, at, ban)
}

// UpdateMember forgets the member, and all of them where the RosterRev is another; see
// store.Members.
func (s *Store) UpdateMember(ctx context.Context, app string, id skein.ID, by store.Authority, client string, at skein.Millis, change func(skein.Conversation, *skein.Member) error) (skein.Conversation, skein.Member, error) {
	conv, member, err := s.Store.UpdateMember(ctx, app, id, by, client, at, change)
	s.touch(convKey{app, id}, func(p *convEntry) {
		if err == nil && p.hasConv && p.conv.RosterRev == conv.RosterRev {
			p.forgetMember(client)
			return
		}
		p.forgetRoster() // a role may have gone from one to another
	})
	return conv, member, err
}

// UpdateMemberships forgets the client as a member; see store.Members.
func (s *Store) UpdateMemberships(ctx context.Context, app, client string, ids []skein.ID, change func(int, skein.Conversation, *skein.Member)) ([]store.Membership, error) {
	all, err := s.Store.UpdateMemberships(ctx, app, client, ids, change)
	for _, id := range ids {
		s.touch(convKey{app, id}, func(p *convEntry) { p.forgetMember(client) })
	}
	return all, err
}

// UpdateConversation forgets the conversation; see store.Conversations.
func (s *Store) UpdateConversation(ctx context.Context, app string, id skein.ID, by store.Authority, change func(*skein.Conversation) error) (skein.Conversation, error) {
	conv, err := s.Store.UpdateConversation(ctx, app, id, by, change)
	s.touch(convKey{app, id}, func(p *convEntry) { p.hasConv = false })
	return conv, err
}

// UpdateConversations forgets the conversations; see store.Conversations.
func (s *Store) UpdateConversations(ctx context.Context, app string, by store.Authority, where []skein.Condition, extend []byte, at skein.Millis) ([]skein.ID, error) {
	ids, err := s.Store.UpdateConversations(ctx, app, by, where, extend, at)
	s.turn.Add(1)
	if err != nil && !untouched(err) {
		s.forgetApp(app)
	}
	for _, id := range ids {
		s.touch(convKey{app, id}, func(p *convEntry) { p.hasConv = false })
	}
	return ids, err
}

// DeleteConversation forgets all of it; see store.Conversations.
func (s *Store) DeleteConversation(ctx context.Context, app string, id skein.ID, by store.Authority) ([]string, error) {
	defer s.conversations.write(convKey{app, id}, (*convEntry).forget)()
	return s.Store.DeleteConversation(ctx, app, id, by)
}

// touch has an entry, if there is one, forget what a write that is over has changed.
// It is for writes that no delivery hangs on.
func (s *Store) touch(name convKey, forget func(*convEntry)) {
	sh := s.conversations.lock(name)
	if p, found := sh.find(name); found {
		p.turn++
		forget(p)
	}
	sh.settle(name)
}

// commit takes in what was committed, before anybody is told of it.
func (s *Store) commit(sent []skein.Committed) {
	for i := range sent {
		s.take(&sent[i])
	}
	if s.committed != nil {
		s.committed(sent)
	}
}

func (s *Store) take(m *skein.Committed) {
	name := convKey{m.App, m.Conv}
	sh := s.conversations.lock(name)
	p, found := sh.find(name)
	switch {
	case !found:
	case m.Change == nil:
		p.said(m.Message, m.Spoken)
	default:
		p.changed(*m.Change)
	}
	if m.Members != nil && s.trust != 0 && !s.sweeps.of(m.App) {
		s.conversations.at(sh, name).join(m.Members, m.RosterRev)
	}
	sh.settle(name)
}

// untouched reports whether a write was refused before it changed anything; after
// another error it may have happened nevertheless. Forgetting an app takes a look at all
// that is kept of every app, so nobody may bring it about by calls that are refused.
func untouched(err error) bool {
	for _, refusal := range []error{
		skein.ErrUnknownClient, skein.ErrUnknownConversation, skein.ErrTooLarge, skein.ErrRateLimited,
	} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// Import forgets what the records are about; see store.Transfer.
func (s *Store) Import(ctx context.Context, app string, records []any) ([]store.Imported, error) {
	conversations, clients := make(map[skein.ID]bool), make(map[string]bool)
	for _, r := range records {
		switch r := r.(type) {
		case *store.ClientRecord:
			clients[r.ID] = true
		case *store.ConversationRecord:
			conversations[r.ID] = true
		case *store.MemberRecord:
			conversations[r.Conv] = true
		case *store.MessageRecord:
			conversations[r.Conv] = true
		case *store.ChangeRecord:
			conversations[r.Conv] = true
		case *store.End:
			conversations[r.Conv] = true
		}
	}
	for id := range conversations {
		defer s.conversations.write(convKey{app, id}, (*convEntry).forget)()
	}
	for id := range clients {
		defer s.writeClient(app, id)()
	}
	return s.Store.Import(ctx, app, records)
}

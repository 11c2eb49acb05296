package cache

import (
	"context"
	"slices"

	"github.com/skein-im/skein"
)

// Conversation is one conversation and one of its members; see store.Conversations. It comes
// from the engine where other nodes write too.
func (s *Store) Conversation(ctx context.Context, app string, id skein.ID, client string) (skein.Conversation, *skein.Member, error) {
	name := convKey{app, id}
	if conv, member, known := s.standing(name, client); known {
		return conv, member, nil
	}
	r := beginReading(s, &s.conversations, name)
	conv, member, err := s.Store.Conversation(ctx, app, id, client)
	r.end(func(p *convEntry) {
		if err != nil || !p.keepConversation(conv) || client == "" || s.trust != 0 {
			return
		}
		p.keepMember(client, memberOf(member))
	})
	return conv, member, err
}

// standing is what memory knows of a conversation and one of its members.
func (s *Store) standing(name convKey, client string) (conv skein.Conversation, member *skein.Member, known bool) {
	sh, p := s.recall(name)
	defer sh.mu.Unlock()
	if p == nil || !p.hasConv || s.trust != 0 {
		return conv, nil, false
	}
	if client != "" {
		at, asked := p.members[client]
		if !asked {
			return conv, nil, false
		}
		if at.is {
			member = &at.member
		}
	}
	s.hits.Add(1)
	return p.conv, member, true
}

// recall is the locked shard of a name, and its entry if memory may answer.
func (s *Store) recall(name convKey) (*shard[convKey, *convEntry], *convEntry) {
	sh := s.conversations.lock(name)
	if s.sweeps.of(name.app) {
		return sh, nil
	}
	p, found := sh.find(name)
	if !found || p.writing > 0 {
		return sh, nil
	}
	return sh, p
}

// Audience is the members; see store.Members. It allocates nothing where memory
// knows them (TestAudienceAlloc).
func (s *Store) Audience(ctx context.Context, app string, id skein.ID, atLeast int64) ([]skein.Listener, int64, error) {
	name := convKey{app, id}
	all, rev, ends := s.audience(name, atLeast)
	if rev > 0 {
		return all, rev, nil
	}
	if !ends { // an entry keeps nothing before it knows that its conversation stays
		if _, _, err := s.Conversation(ctx, app, id, ""); err != nil {
			return s.Store.Audience(ctx, app, id, atLeast)
		}
	}
	r := beginReading(s, &s.conversations, name)
	all, rev, err := s.Store.Audience(ctx, app, id, atLeast)
	r.end(func(p *convEntry) {
		if err == nil && p.hasConv {
			p.keepAudience(all, rev, r.began)
		}
	})
	return all, rev, err
}

// audience is the members of a revision as memory knows them; rev is zero where it does
// not, and ends tells that it never will.
func (s *Store) audience(name convKey, atLeast int64) (all []skein.Listener, rev int64, ends bool) {
	sh, p := s.recall(name)
	defer sh.mu.Unlock()
	if p == nil || p.audience == nil || p.rosterRev < atLeast || atLeast == 0 && !s.trusts(p.listRead) {
		return nil, 0, p != nil && p.ends
	}
	s.hits.Add(1)
	return p.audience, p.rosterRev, false
}

// Messages reads a range of seqs; see store.Messages. A range that ends with the newest
// message is read larger than asked, to be kept, unless other nodes write too.
func (s *Store) Messages(ctx context.Context, app string, conv skein.ID, r skein.SeqRange) ([]skein.Message, error) {
	name := convKey{app, conv}
	messages, known, keep := s.messages(name, r)
	switch {
	case known:
		return messages, nil
	case !keep:
		return s.Store.Messages(ctx, app, conv, r)
	}
	reading := beginReading(s, &s.conversations, name)
	newest, hidden, err := s.readPage(ctx, name)
	var p page
	if err == nil {
		p = newPage(newest, hidden)
		messages, known = p.read(r)
	}
	reading.end(func(at *convEntry) {
		if err == nil && at.hasConv {
			at.page = p
		}
	})
	if err != nil || !known {
		return s.Store.Messages(ctx, app, conv, r)
	}
	return messages, nil
}

// messages is a range as memory knows it; keep: the newest messages are asked for
// and may be kept.
func (s *Store) messages(name convKey, r skein.SeqRange) (messages []skein.Message, known, keep bool) {
	sh, p := s.recall(name)
	defer sh.mu.Unlock()
	if p == nil || !p.hasConv || s.trust != 0 {
		return nil, false, false
	}
	messages, known = p.page.read(r)
	if known {
		s.hits.Add(1)
		return messages, true, false
	}
	last := p.conv.LastSeq
	newest := r.Newest && (r.Before == 0 || r.Before > last) || !r.Newest && r.After >= last-pageLength
	return nil, false, !p.page.known && newest && r.Limit <= pageLength
}

// readPage reads the newest messages, ascending, and who deleted any for itself.
func (s *Store) readPage(ctx context.Context, name convKey) ([]skein.Message, []skein.Hiding, error) {
	messages, err := s.Store.Messages(ctx, name.app, name.id, skein.SeqRange{Limit: pageLength, Newest: true})
	if err != nil || len(messages) == 0 {
		return nil, nil, err
	}
	slices.Reverse(messages)
	hidden, err := s.Store.Hidden(ctx, name.app, name.id, messages[0].Seq-1)
	return messages, hidden, err
}

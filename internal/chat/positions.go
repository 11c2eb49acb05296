package chat

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// How large a conversation may be for its members to be told how far one of them
// has come. What grows is what a position costs: a frame to each member.
const (
	maxToldAtOnce   = 200   // above, positions wait for up to a second to go together
	maxToldTogether = 2_000 // above, and in rooms, members ask
)

// Read moves how far a client has read, forward only, takes away its mark as unread,
// and answers how it sees the conversation now. seq is nil, or past the end, for all.
// Errors: those of View.
func (s *Service) Read(ctx context.Context, by skein.Actor, id skein.ID, client string, seq *int64) (skein.View, error) {
	return s.move(ctx, by, id, client, func(c skein.Conversation, m *skein.Member) {
		m.ReadSeq, m.Unread = upTo(c, seq), false
	})
}

// Received moves up to where a client has received, as Read does.
func (s *Service) Received(ctx context.Context, by skein.Actor, id skein.ID, client string, seq *int64) (skein.View, error) {
	return s.move(ctx, by, id, client, func(c skein.Conversation, m *skein.Member) { m.ReceivedSeq = upTo(c, seq) })
}

// upTo is the seq that is meant; nil: the newest.
func upTo(c skein.Conversation, seq *int64) int64 {
	if seq == nil {
		return c.LastSeq
	}
	return *seq
}

// move sets a position. The store sees to it that none runs back or past the end.
func (s *Service) move(ctx context.Context, by skein.Actor, id skein.ID, client string, set func(skein.Conversation, *skein.Member)) (skein.View, error) {
	var before skein.Member
	conv, after, err := s.store.UpdateMember(ctx, by.App.ID, id, store.Authority{}, client, s.now(), func(c skein.Conversation, m *skein.Member) error {
		before = *m
		set(c, m)
		return nil
	})
	if err != nil {
		return skein.View{}, s.noMember(ctx, by, err, client)
	}
	s.tellPosition(by, conv, before, after)
	v, err := s.View(ctx, by, id, client)
	if err == nil && before.Unread != after.Unread {
		s.tellView(by, v, by.Session)
	}
	return v, err
}

// tellPosition tells how far a member has come, if that is another place: the
// member's own devices always, the others as the size of the conversation allows.
func (s *Service) tellPosition(by skein.Actor, conv skein.Conversation, before, after skein.Member) {
	moved := after.Read() != before.Read() || after.Received() != before.Received()
	again := after.ReadSeq != before.ReadSeq && conv.Type != skein.Room // it says what its message has said
	if !moved && !again {
		return
	}
	s.tellAt(by, conv, skein.Position{Client: after.Client, Read: after.Read(), Received: after.Received()}, atOnce(before, after))
}

// tellPassed tells that the sender of a message has, by sending it, read what others
// said before.
func (s *Service) tellPassed(ctx context.Context, by skein.Actor, m skein.Message) {
	conv, _, err := s.store.Conversation(ctx, by.App.ID, m.Conv, "")
	if err != nil {
		return // deleted meanwhile; otherwise conv.readers answers it
	}
	s.tellAt(by, conv, skein.Position{Client: m.Sender, Read: m.Seq, Received: m.Seq}, 2)
}

// tellAt tells a position: in conversations of up to atOnce members to all of them
// now, in larger ones to the others later or not at all.
func (s *Service) tellAt(by skein.Actor, conv skein.Conversation, at skein.Position, atOnce int) {
	tell := func(fill func(*skein.Notice)) {
		s.tell(by, skein.EventRead, conv.ID, func(n *skein.Notice) {
			n.Positions, n.Session = []skein.Position{at}, by.Session
			fill(n)
		})
	}
	all := conv.Type != skein.Room && conv.Members <= maxToldTogether
	if all && conv.Members <= atOnce {
		tell(func(*skein.Notice) {})
		return
	}
	tell(func(n *skein.Notice) { n.Audience = []string{at.Client} })
	if all {
		tell(func(n *skein.Notice) { n.Gather, n.Session, n.Except = true, "", at.Client })
	}
}

// atOnce is the largest conversation whose members are told at once. That a message
// was received is told by every device that is there, all in the same moment: in a
// group of 200 that would be 40,000 frames a message.
func atOnce(before, after skein.Member) int {
	if after.Read() == before.Read() {
		return 2
	}
	return maxToldAtOnce
}

// Readers is how far the members have come about one message.
type Readers struct {
	store.Readers

	Seq  int64
	Page skein.MemberPage // of those who were members by then, in order of joining
}

// Readers tells who has received and who has read a message; seq is nil for the
// newest. Errors: skein.ErrUnknownConversation, skein.ErrForbidden,
// skein.ErrUnknownMessage for a seq that names none that the caller sees.
func (s *Service) Readers(ctx context.Context, by skein.Actor, id skein.ID, seq *int64, q skein.MemberQuery) (Readers, error) {
	conv, me, err := s.admit(ctx, by, id)
	if err != nil {
		return Readers{}, err
	}
	out := Readers{Seq: conv.LastSeq}
	if seq != nil {
		out.Seq = *seq
		if out.Seq > conv.LastSeq || me != nil && out.Seq <= me.Floor(by.App.Settings.PrivateHistory) {
			return out, skein.About(skein.ErrUnknownMessage, "seq")
		}
	}
	if out.Readers, err = s.store.CountReaders(ctx, by.App.ID, id, out.Seq); err != nil {
		return out, err
	}
	if q.Offset >= out.Members && q.After.IsZero() {
		return out, nil
	}
	out.Page, err = s.store.Members(ctx, by.App.ID, id, q)
	out.Page = joinedBy(out.Page, out.Seq)
	return out, err
}

// joinedBy is a page without those who joined after a seq: they are the last ones.
func joinedBy(page skein.MemberPage, seq int64) skein.MemberPage {
	for i, m := range page.Members {
		if m.JoinSeq > seq {
			return skein.MemberPage{Members: page.Members[:i]}
		}
	}
	return page
}

package chat

import (
	"context"

	"github.com/skein-im/skein"
)

// Page is the messages of one page, newest first, and how many there are in all.
// Seq is dense, so a page is computed, not counted: page 100,000 costs what page 1
// does. Errors: skein.ErrUnknownConversation, skein.ErrForbidden.
func (s *Service) Page(ctx context.Context, by skein.Actor, conv skein.ID, page int64, size int) ([]skein.Message, int64, error) {
	c, floor, err := s.readable(ctx, by, conv)
	if err != nil {
		return nil, 0, err
	}
	total := c.LastSeq - floor
	newest := c.LastSeq - (page-1)*int64(size) // of the page
	if newest <= floor {
		return nil, total, nil
	}
	messages, err := s.store.Messages(ctx, by.App.ID, conv, skein.SeqRange{
		After: max(floor, newest-int64(size)), Before: newest + 1, Limit: size, Newest: true, Viewer: by.Client,
	})
	return messages, total, err
}

// Span is the messages of a range of seqs, of about 1 MiB at the most, and whether
// there are more beyond. Errors: skein.ErrUnknownConversation, skein.ErrForbidden.
func (s *Service) Span(ctx context.Context, by skein.Actor, conv skein.ID, r skein.SeqRange) (messages []skein.Message, more bool, err error) {
	c, floor, err := s.readable(ctx, by, conv)
	if err != nil {
		return nil, false, err
	}
	r.After, r.Viewer = max(r.After, floor), by.Client
	if r.After >= c.LastSeq {
		return nil, false, nil
	}
	messages, err = s.store.Messages(ctx, by.App.ID, conv, r)
	if err != nil || len(messages) == 0 {
		return nil, false, err
	}
	left := newBudget()
	messages = messages[:left.take(len(messages), func(i int) *skein.Message { return &messages[i] })]
	last := messages[len(messages)-1].Seq
	if r.Newest {
		return messages, last > floor+1, nil
	}
	return messages, last < c.LastSeq, nil
}

// Find looks for messages in a conversation, and answers about 1 MiB of them at the
// most. Errors: skein.ErrUnknownConversation, skein.ErrForbidden, skein.ErrRateLimited.
func (s *Service) Find(ctx context.Context, by skein.Actor, conv skein.ID, q skein.MessageQuery) (skein.FoundMessages, error) {
	_, floor, err := s.readable(ctx, by, conv)
	if err != nil {
		return skein.FoundMessages{}, err
	}
	q.After, q.Viewer = max(q.After, floor), by.Client
	found, err := s.store.FindMessages(ctx, by.App.ID, conv, q)
	if err != nil {
		return skein.FoundMessages{}, err
	}
	left := newBudget()
	if kept := left.take(len(found.Messages), func(i int) *skein.Message { return &found.Messages[i] }); kept < len(found.Messages) {
		found.Messages = found.Messages[:kept]
		found.Next = found.Messages[kept-1].Seq
	}
	return found, nil
}

// Message is one message. Errors: skein.ErrUnknownMessage,
// skein.ErrUnknownConversation, skein.ErrForbidden.
func (s *Service) Message(ctx context.Context, by skein.Actor, conv, id skein.ID) (skein.Message, error) {
	_, floor, err := s.readable(ctx, by, conv)
	if err != nil {
		return skein.Message{}, err
	}
	m, err := s.store.Message(ctx, by.App.ID, conv, id, by.Client)
	if err == nil && m.Seq <= floor {
		err = skein.ErrUnknownMessage
	}
	if err != nil {
		return skein.Message{}, named(err, "msg_id")
	}
	return m, nil
}

// readable is a conversation that the caller may read, and the seq up to which it
// may not.
func (s *Service) readable(ctx context.Context, by skein.Actor, conv skein.ID) (c skein.Conversation, floor int64, err error) {
	c, me, err := s.admit(ctx, by, conv)
	if err == nil && me != nil {
		floor = me.Floor(by.App.Settings.PrivateHistory)
	}
	return c, floor, err
}

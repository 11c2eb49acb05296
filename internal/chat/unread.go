package chat

import (
	"context"
	"errors"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// readAtOnce is how many conversations of a client are marked as read in one
// transaction: others' writes go in between.
const readAtOnce = 100

// Unread sums up what a client has not read; conversations that it muted count only
// if muted. Errors: skein.ErrUnknownClient, skein.ErrRateLimited.
func (s *Service) Unread(ctx context.Context, by skein.Actor, client string, muted bool) (skein.UnreadTotal, error) {
	if err := s.known(ctx, by, client); err != nil {
		return skein.UnreadTotal{}, err
	}
	return s.store.Unread(ctx, by.App.ID, client, muted)
}

// ReadAll marks as read, as Read does, all that is unread of a client when the call
// begins, and answers in how many conversations. After an error some of them may have
// been marked.
// Errors: skein.ErrUnknownClient, skein.ErrRateLimited.
func (s *Service) ReadAll(ctx context.Context, by skein.Actor, client string) (n int, err error) {
	if err := s.known(ctx, by, client); err != nil {
		return 0, err
	}
	all, err := s.store.ToRead(ctx, by.App.ID, client)
	if err != nil {
		return 0, err
	}
	for some := range slices.Chunk(all, readAtOnce) {
		moved, err := s.moveAll(ctx, by, client, some, func(m *skein.Member, seq int64) { m.ReadSeq, m.Unread = seq, false })
		if err != nil {
			return n, err
		}
		for _, m := range moved {
			if m.Err == nil {
				n++
			}
		}
		if err := s.tellUnmarked(ctx, by, moved); err != nil {
			return n, err
		}
	}
	return n, nil
}

// tellUnmarked tells the client's devices where a mark as unread was taken away.
func (s *Service) tellUnmarked(ctx context.Context, by skein.Actor, moved []store.Membership) error {
	for _, m := range moved {
		if m.Before.Unread == m.After.Unread {
			continue
		}
		v, err := s.View(ctx, by, m.Conversation.ID, m.After.Client)
		switch {
		case err == nil:
			s.tellView(by, v, by.Session)
		case !errors.Is(err, skein.ErrUnknownConversation) && !errors.Is(err, skein.ErrForbidden): // it is gone since
			return err
		}
	}
	return nil
}

// ReceivedMany does what Received does in many conversations and answers for each, in
// their order. The answer for one may be skein.ErrUnknownConversation, or
// skein.ErrForbidden where the client is no member; the others are not affected. Errors
// of the whole call: skein.ErrUnknownClient.
func (s *Service) ReceivedMany(ctx context.Context, by skein.Actor, client string, all []skein.Receipt) ([]store.Membership, error) {
	if err := s.known(ctx, by, client); err != nil {
		return nil, err
	}
	moved, err := s.moveAll(ctx, by, client, all, func(m *skein.Member, seq int64) { m.ReceivedSeq = seq })
	for i, m := range moved {
		if errors.Is(m.Err, skein.ErrUnknownClient) {
			moved[i].Err = skein.ErrForbidden
		}
	}
	return moved, err
}

// moveAll is move in many conversations, in one transaction.
func (s *Service) moveAll(ctx context.Context, by skein.Actor, client string, all []skein.Receipt, set func(m *skein.Member, seq int64)) ([]store.Membership, error) {
	ids := make([]skein.ID, len(all))
	for i, r := range all {
		ids[i] = r.Conv
	}
	moved, err := s.store.UpdateMemberships(ctx, by.App.ID, client, ids, func(i int, _ skein.Conversation, m *skein.Member) {
		set(m, all[i].Seq)
	})
	for _, m := range moved {
		if m.Err == nil {
			s.tellPosition(by, m.Conversation, m.Before, m.After)
		}
	}
	return moved, err
}

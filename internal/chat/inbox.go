package chat

import (
	"context"
	"errors"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Mark is what a client notes about a conversation for itself; nil leaves what is.
type Mark struct {
	Pin, Mute, Archive *bool
	Unread             *bool
	Draft              *string
	ClearTo            *int64 // seq up to which the history is cleared; past the end: all of it
}

// Views is a page of a client's conversations. Errors: skein.ErrUnknownClient.
func (s *Service) Views(ctx context.Context, by skein.Actor, client string, q skein.ViewQuery) (skein.ViewPage, error) {
	if err := s.known(ctx, by, client); err != nil {
		return skein.ViewPage{}, err
	}
	page, err := s.store.Views(ctx, by.App.ID, client, q)
	for i := range page.Views {
		shown(by, &page.Views[i])
	}
	return page, err
}

// View is one conversation as one of its members sees it. Errors:
// skein.ErrUnknownConversation, skein.ErrUnknownClient, skein.ErrForbidden for who
// is no member.
func (s *Service) View(ctx context.Context, by skein.Actor, id skein.ID, client string) (skein.View, error) {
	v, err := s.store.View(ctx, by.App.ID, id, client)
	if err != nil {
		return v, s.noMember(ctx, by, err, client)
	}
	shown(by, &v)
	return v, nil
}

// Mark notes something about a conversation for one of its members and answers how
// that one sees it now; its other devices are told. Errors: those of View.
func (s *Service) Mark(ctx context.Context, by skein.Actor, id skein.ID, client string, mark Mark) (skein.View, error) {
	now := s.now()
	var before skein.Member
	conv, after, err := s.store.UpdateMember(ctx, by.App.ID, id, store.Authority{}, client, now, func(_ skein.Conversation, m *skein.Member) error {
		before = *m
		mark.apply(m, now)
		return nil
	})
	if err != nil {
		return skein.View{}, s.noMember(ctx, by, err, client)
	}
	v, err := s.View(ctx, by, id, client)
	if err != nil || before == after {
		return v, err
	}
	s.tellView(by, v, "")
	s.tellPosition(by, conv, before, after)
	return v, nil
}

// tellView tells the member's own devices, but for one session, how it sees a
// conversation now.
func (s *Service) tellView(by skein.Actor, v skein.View, except string) {
	s.tell(by, skein.EventConvUpdated, v.ID, func(n *skein.Notice) {
		n.View, n.Audience, n.Session = &v, []string{v.Member.Client}, except
	})
}

// apply leaves it to the store that no position runs back or past the end.
func (mark Mark) apply(m *skein.Member, now skein.Millis) {
	if mark.Pin != nil && *mark.Pin != (m.Pinned != 0) {
		m.Pinned = 0
		if *mark.Pin {
			m.Pinned = now
		}
	}
	setIf(&m.Muted, mark.Mute)
	setIf(&m.Archived, mark.Archive)
	setIf(&m.Unread, mark.Unread)
	setIf(&m.Draft, mark.Draft)
	setIf(&m.ClearedSeq, mark.ClearTo)
}

func setIf[T any](v, to *T) {
	if to != nil {
		*v = *to
	}
}

// shown takes out of a view what its member may not see.
func shown(by skein.Actor, v *skein.View) {
	v.Floor = v.Member.Floor(by.App.Settings.PrivateHistory)
	if v.Last != nil && v.Last.Seq <= v.Floor {
		v.Last = nil
	}
}

// known refuses a client that the backend names and nobody has heard of; a client
// that calls has been let in by its name.
func (s *Service) known(ctx context.Context, by skein.Actor, client string) error {
	if !by.Server() {
		return nil
	}
	_, err := s.client(ctx, by.App.ID, client)
	return err
}

// noMember says of a client that is no member that it may not, or that nobody has
// heard of it.
func (s *Service) noMember(ctx context.Context, by skein.Actor, err error, client string) error {
	if !errors.Is(err, skein.ErrUnknownClient) {
		return err
	}
	if err := s.known(ctx, by, client); err != nil {
		return err
	}
	return skein.About(skein.ErrForbidden, client)
}

package chat

import (
	"context"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Editing is what is to become of a message's body.
type Editing struct {
	Text       *string // nil: stays as it is, as all below
	Attr       []byte  // with SetAttr; nil: none
	SetAttr    bool
	MentionAll *bool
	Mentions   *[]string // each id once
	Version    *int64    // the edit is of this version alone; nil: of any
}

// Edit alters what a message says: its sender's, within the app's EditWindow, or
// the backend's. An edit to what it says already is a retry and changes nothing.
// Errors: skein.ErrUnknownConversation, skein.ErrUnknownMessage, skein.ErrForbidden,
// skein.ErrConflict for one that is recalled or deleted or of another version,
// skein.ErrRefused, those of Hooks.Ask, those of the body.
func (s *Service) Edit(ctx context.Context, by skein.Actor, conv, id skein.ID, e Editing) (skein.Message, error) {
	e, err := s.checkEdit(ctx, by, conv, id, e)
	if err != nil {
		return skein.Message{}, err
	}
	c, err := s.change(ctx, by, conv, id, "", func(at skein.MessageState) (skein.Change, error) {
		m := at.Message
		if !by.Server() && !at.Own {
			return skein.Change{}, skein.ErrForbidden
		}
		if err := unlessNormal(m); err != nil {
			return skein.Change{}, err
		}
		if e.changesNothing(m.Body) {
			return skein.Change{}, nil
		}
		body := e.of(m.Body)
		now := s.now()
		if !by.Server() && past(m, by.App.Settings.EditWindow, now) {
			return skein.Change{}, tooOld("too old to edit")
		}
		asks := s.asks(by, at.Conversation, at.Member)
		if err := toSpeak(asks); err != nil {
			return skein.Change{}, err
		}
		if body.MentionAll && !m.MentionAll && toMentionAll(asks) != nil {
			return skein.Change{}, skein.About(skein.ErrForbidden, "mention_all")
		}
		if e.Version != nil && *e.Version != int64(m.Version) {
			return skein.Change{}, &skein.Fault{Err: skein.ErrConflict, Field: "expected_version", Detail: "not the current version"}
		}
		m.Body = body
		return skein.Change{Kind: skein.ChangeEdit, At: now, Message: m}, body.Fault()
	})
	return c.Message, err
}

// checkEdit is the edit that the app's word list and its before-hook allow.
func (s *Service) checkEdit(ctx context.Context, by skein.Actor, conv, id skein.ID, e Editing) (_ Editing, err error) {
	if e.Text, err = s.screenGiven(ctx, by, "text", e.Text); err != nil || !s.asksBefore(by, skein.BeforeMessage) {
		return e, err
	}
	return s.askAboutEdit(ctx, by, conv, id, e)
}

// of is the body as it is to become.
func (e Editing) of(b skein.Body) skein.Body {
	if e.Text != nil {
		b.Text = *e.Text
	}
	if e.SetAttr {
		b.Attr = e.Attr
	}
	setIf(&b.MentionAll, e.MentionAll)
	setIf(&b.Mentions, e.Mentions)
	return b
}

// changesNothing reports whether a body says already what it is to say.
func (e Editing) changesNothing(b skein.Body) bool {
	to := e.of(b)
	return to.Text == b.Text && store.SameJSON(to.Attr, b.Attr) && to.MentionAll == b.MentionAll &&
		slices.Equal(slices.Sorted(slices.Values(to.Mentions)), slices.Sorted(slices.Values(b.Mentions)))
}

// Recall takes a message back for everyone: its sender within the app's
// RecallWindow, owner, admins and the backend always. Files that only it named are
// gone with it. Again it is no change. Errors: skein.ErrUnknownConversation,
// skein.ErrUnknownMessage, skein.ErrForbidden.
func (s *Service) Recall(ctx context.Context, by skein.Actor, conv, id skein.ID) error {
	_, err := s.change(ctx, by, conv, id, "", func(at skein.MessageState) (skein.Change, error) {
		m, now := at.Message, s.now()
		always := by.Server() || at.Member.Role >= skein.RoleAdmin
		switch {
		case !always && !at.Own:
			return skein.Change{}, skein.ErrForbidden
		case m.Status == skein.StatusRecalled:
			return skein.Change{}, nil
		case !always && past(m, by.App.Settings.RecallWindow, now):
			return skein.Change{}, tooOld("too old to recall")
		}
		return skein.Change{Kind: skein.ChangeRecall, At: now}, nil
	})
	return err
}

// Hide deletes a message for the calling client alone. Again it is no change.
// Errors: skein.ErrUnknownConversation, skein.ErrUnknownMessage, skein.ErrForbidden.
func (s *Service) Hide(ctx context.Context, by skein.Actor, conv, id skein.ID) error {
	_, err := s.change(ctx, by, conv, id, "", func(at skein.MessageState) (skein.Change, error) {
		if at.Message.Status == skein.StatusDeleted {
			return skein.Change{}, nil
		}
		return skein.Change{Kind: skein.ChangeHide, At: s.now()}, nil
	})
	return err
}

// React sets or takes away an emoji of the calling client under a message. As it is
// already it is no change. Errors: skein.ErrUnknownConversation,
// skein.ErrUnknownMessage, skein.ErrForbidden, skein.ErrMalformed for what is no
// emoji, skein.ErrForbidden also for the free text of a muted member,
// skein.ErrConflict under a recalled or deleted message, skein.ErrTooLarge
// past skein.MaxReactions.
func (s *Service) React(ctx context.Context, by skein.Actor, conv, id skein.ID, emoji string, on bool) (skein.Message, error) {
	if err := reaction(emoji); err != nil {
		return skein.Message{}, err
	}
	c, err := s.change(ctx, by, conv, id, emoji, func(at skein.MessageState) (skein.Change, error) {
		if err := unlessNormal(at.Message); err != nil {
			return skein.Change{}, err
		}
		if at.Reacted == on {
			return skein.Change{}, nil
		}
		if on && saysSomething(emoji) && toSpeak(s.asks(by, at.Conversation, at.Member)) != nil {
			return skein.Change{}, skein.About(skein.ErrForbidden, "emoji")
		}
		return skein.Change{Kind: skein.ChangeReact, At: s.now(), On: on}, nil
	})
	return c.Message, err
}

// Pin pins a message for everyone, or takes the pin away. In a private pair either
// may, else who manages the conversation. As it is already it is no change. Errors:
// skein.ErrUnknownConversation, skein.ErrUnknownMessage, skein.ErrForbidden,
// skein.ErrConflict for a recalled or deleted message, skein.ErrTooLarge past
// skein.MaxPins.
func (s *Service) Pin(ctx context.Context, by skein.Actor, conv, id skein.ID, on bool) error {
	_, err := s.changeBy(ctx, by, conv, id, toPin, "", func(at skein.MessageState) (skein.Change, error) {
		m := at.Message
		switch {
		case on && m.Pinned != 0:
			return skein.Change{}, nil
		case on && m.Status != skein.StatusNormal:
			return skein.Change{}, unlessNormal(m)
		case on && at.Pins >= skein.MaxPins:
			return skein.Change{}, &skein.Fault{Err: skein.ErrTooLarge, Field: "conv_id", Detail: "at most 100 pinned messages"}
		}
		return skein.Change{Kind: skein.ChangePin, At: s.now(), On: on}, nil
	})
	return err
}

// Pins lists the pinned messages, the newest pin first; what the caller deleted for
// itself is left out. Errors: skein.ErrUnknownConversation, skein.ErrForbidden.
func (s *Service) Pins(ctx context.Context, by skein.Actor, conv skein.ID) ([]skein.Message, error) {
	_, floor, err := s.readable(ctx, by, conv)
	if err != nil {
		return nil, err
	}
	pins, err := s.store.Pins(ctx, by.App.ID, conv, by.Client)
	visible := pins[:0]
	for _, m := range pins {
		if m.Seq > floor && m.Status == skein.StatusNormal {
			visible = append(visible, m)
		}
	}
	return visible, err
}

// change is changeBy for a caller who meets the need of the op.
func (s *Service) change(ctx context.Context, by skein.Actor, conv, id skein.ID, emoji string, decide func(skein.MessageState) (skein.Change, error)) (skein.Change, error) {
	return s.changeBy(ctx, by, conv, id, toDo, emoji, decide)
}

// changeBy has decide say what becomes of a message, for a caller whom the rule lets, and
// does it. A message at or below the caller's floor is unknown.
func (s *Service) changeBy(ctx context.Context, by skein.Actor, conv, id skein.ID, r rule, emoji string, decide func(skein.MessageState) (skein.Change, error)) (skein.Change, error) {
	c, err := s.store.ChangeMessage(ctx, by.App.ID, conv, id, s.authority(by, r), emoji, func(at skein.MessageState) (skein.Change, error) {
		if !by.Server() && at.Member == nil {
			return skein.Change{}, skein.ErrForbidden
		}
		if at.Member != nil && at.Message.Seq <= at.Member.Floor(by.App.Settings.PrivateHistory) {
			return skein.Change{}, skein.ErrUnknownMessage
		}
		return decide(at)
	})
	return c, named(err, "msg_id")
}

// unlessNormal refuses to change what is only a number now.
func unlessNormal(m skein.Message) error {
	switch m.Status {
	case skein.StatusNormal:
		return nil
	case skein.StatusRecalled:
		return &skein.Fault{Err: skein.ErrConflict, Field: "msg_id", Detail: "recalled"}
	default:
		return &skein.Fault{Err: skein.ErrConflict, Field: "msg_id", Detail: "deleted"}
	}
}

// past reports whether a message is older than a window, in seconds; a negative one
// has no end.
func past(m skein.Message, window int, now skein.Millis) bool {
	const second = 1000
	age, end := now-m.Created, skein.Millis(window)
	return end >= 0 && age/second >= end && age > end*second
}

func tooOld(detail string) error {
	return &skein.Fault{Err: skein.ErrForbidden, Field: "msg_id", Detail: detail}
}

package chat

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Hooks asks the before-hooks of apps.
type Hooks interface {
	// Ask asks the app's hook about each of the questions, which are all before the same thing, at the
	// same time. It leaves the caller's turn at the server's gate meanwhile. Errors: skein.ErrRejected;
	// skein.ErrUnavailable where the hook failed and is to refuse then; the context's.
	Ask(ctx context.Context, app *skein.App, all []skein.Question) []skein.Answer
}

// asksBefore reports whether a hook is asked before what the caller does. The backend is not asked about what
// it does itself: a hook that sends a message would be asked about that one.
func (s *Service) asksBefore(by skein.Actor, what string) bool {
	return s.hooks != nil && !by.Server() && by.App.Settings.HookBefore(what) != nil
}

// ask asks about something else than messages that the caller does. Errors: those of Hooks.Ask.
func (s *Service) ask(ctx context.Context, by skein.Actor, q skein.Question) error {
	if !s.asksBefore(by, q.On) {
		return nil
	}
	q.Client, q.Device = by.Client, by.Device
	return s.hooks.Ask(ctx, by.App, []skein.Question{q})[0].Err
}

// askAboutMembers asks about members whom the caller may add by the rule.
func (s *Service) askAboutMembers(ctx context.Context, by skein.Actor, id skein.ID, r rule, clients []string) error {
	if !s.asksBefore(by, skein.BeforeMembers) {
		return nil
	}
	conv, me, err := s.store.Conversation(ctx, by.App.ID, id, by.Client)
	if err == nil {
		err = r(s.asks(by, conv, me))
	}
	if err != nil {
		return err
	}
	return s.ask(ctx, by, skein.Question{On: skein.BeforeMembers, Conv: id, ConvType: conv.Type, Clients: clients})
}

// AskAboutUpload asks whether a file that the caller has uploaded may be kept. Errors: those of Hooks.Ask.
func (s *Service) AskAboutUpload(ctx context.Context, by skein.Actor, name, title string, bytes int64) error {
	return s.ask(ctx, by, skein.Question{On: skein.BeforeUpload, Path: skein.UploadsPath + name, Title: skein.FileTitle(title), Bytes: bytes})
}

// askAbout asks about the drafts that have no error yet, and that their sender may send. It replaces the
// bodies as the hook says.
func (s *Service) askAbout(ctx context.Context, by skein.Actor, all []skein.Draft, answers []store.Appended) {
	questions, places := make([]skein.Question, 0, len(all)), make([]int, 0, len(all))
	for i := range all {
		if answers[i].Err != nil {
			continue
		}
		conv, err := s.store.Admit(ctx, all[i])
		if err != nil {
			answers[i].Err = named(err, all[i].Sender)
			continue
		}
		questions = append(questions, skein.Question{On: skein.BeforeMessage, Client: by.Client, Device: by.Device, Message: &all[i].Message, ConvType: conv.Type})
		places = append(places, i)
	}
	for i, a := range s.hooks.Ask(ctx, by.App, questions) {
		at := places[i]
		if answers[at].Err = a.Err; a.Err == nil && a.Verdict.Body != nil {
			replace(&all[at], *a.Verdict.Body)
		}
	}
}

// askAboutEdit asks about a message as it is to be after an edit, and returns the edit that the hook
// allows. An edit that changes nothing, or of a message of somebody else, is not asked about.
func (s *Service) askAboutEdit(ctx context.Context, by skein.Actor, conv, id skein.ID, e Editing) (Editing, error) {
	c, _, err := s.admit(ctx, by, conv)
	if err != nil {
		return e, err
	}
	m, err := s.store.Message(ctx, by.App.ID, conv, id, by.Client)
	if err != nil || m.Sender != by.Client || m.Status != skein.StatusNormal || e.changesNothing(m.Body) {
		return e, err
	}
	m.Body = e.of(m.Body)
	a := s.hooks.Ask(ctx, by.App, []skein.Question{{On: skein.BeforeMessage, Client: by.Client, Device: by.Device, Message: &m, Edit: true, ConvType: c.Type}})[0]
	if b := a.Verdict.Body; b != nil {
		e.Text, e.Attr, e.SetAttr, e.MentionAll, e.Mentions = &b.Text, b.Attr, true, &b.MentionAll, &b.Mentions
	}
	return e, a.Err
}

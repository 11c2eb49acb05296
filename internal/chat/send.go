package chat

import (
	"cmp"
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/tracing"
)

// Send stores messages in this order and answers each with its seq, once all are durable
// or refused. After that it pushes them to the members who are online. A retry with a
// known ClientMsgID answers the first message. A transient message is only pushed and has
// no seq. A draft needs Conv, Sender, Body and, if set, ClientMsgID, Device and MarkRead;
// Send sets the rest in place. Errors: those of store.Append, skein.ErrRefused, those of
// Hooks.Ask.
func (s *Service) Send(ctx context.Context, by skein.Actor, all []skein.Draft) []store.Appended {
	trace := tracing.From(ctx)
	for i := range all {
		s.complete(by, &all[i])
		all[i].Trace = trace
	}
	if by.App.Settings.WordList != 0 || s.asksBefore(by, skein.BeforeMessage) {
		return s.sendChecked(ctx, by, all)
	}
	return s.send(ctx, by, all)
}

// sendChecked sends the drafts that the app's word list and its before-hook allow. The hook sees what
// the word list has left.
func (s *Service) sendChecked(ctx context.Context, by skein.Actor, all []skein.Draft) []store.Appended {
	answers := make([]store.Appended, len(all))
	for i := range all {
		answers[i].Err = s.screenDraft(ctx, by, &all[i])
	}
	if s.asksBefore(by, skein.BeforeMessage) {
		s.askAbout(ctx, by, all, answers)
	}
	passed, places := make([]skein.Draft, 0, len(all)), make([]int, 0, len(all))
	for i, d := range all {
		// A retry is answered the first message, although it would be refused by now.
		if d.OnlyAgain = answers[i].Err != nil; !d.OnlyAgain || d.ClientMsgID != "" && !d.Transient {
			passed, places = append(passed, d), append(places, i)
		}
	}
	for i, sent := range s.send(ctx, by, passed) {
		if at := places[i]; sent.Err == nil || answers[at].Err == nil {
			answers[at] = sent
		}
	}
	return answers
}

// replace gives a draft another body than the sender's.
func replace(d *skein.Draft, body skein.Body) {
	if d.Written == nil {
		written := d.Body
		d.Written = &written
	}
	d.Body = body
}

// send stores and pushes drafts that are complete.
func (s *Service) send(ctx context.Context, by skein.Actor, all []skein.Draft) []store.Appended {
	var sent []store.Appended
	for len(all) > 0 {
		n := 0
		for n < len(all) && !all[n].Transient {
			n++
		}
		if n == 0 {
			sent = append(sent, s.sendTransient(ctx, all[0]))
			all = all[1:]
			continue
		}
		stored := s.sendStored(ctx, by, all[:n])
		if sent == nil && n == len(all) {
			return stored
		}
		sent = append(sent, stored...)
		all = all[n:]
	}
	return sent
}

func (s *Service) sendStored(ctx context.Context, by skein.Actor, drafts []skein.Draft) []store.Appended {
	ctx, commit := tracing.Start(ctx, "store commit")
	commit.Count("messages", len(drafts))
	sent, err := s.store.AppendAll(ctx, drafts)
	commit.End(0)
	if err != nil {
		sent = make([]store.Appended, len(drafts))
	}
	for i := range sent {
		sent[i].Err = named(cmp.Or(err, sent[i].Err), drafts[i].Sender)
		if sent[i].Err != nil {
			continue
		}
		if sent[i].Passed {
			s.tellPassed(ctx, by, sent[i].Message)
		}
		if sent[i].Again { // a node may have died between storing and announcing it
			s.events.RingAll(by.App.ID, sent[i].Message.Conv, sent[i].Message.Seq, 0)
		}
	}
	return sent
}

// complete sets what the caller of Send leaves open: id, time, status, app and need.
func (s *Service) complete(by skein.Actor, d *skein.Draft) {
	d.ID, d.Status, d.Created, d.App = s.newID(), skein.StatusNormal, s.now(), by.App.ID
	if by.Server() {
		d.Need = skein.NeedServer
		return
	}
	d.Need = by.Need
	if d.MentionAll {
		d.Need = mentioningNeed(by.App.Settings, by.Need)
	}
}

func (s *Service) sendTransient(ctx context.Context, d skein.Draft) store.Appended {
	conv, err := s.store.Admit(ctx, d)
	if err != nil {
		return store.Appended{Err: named(err, d.Sender)}
	}
	s.events.Say(skein.Committed{Message: d.Message, App: d.App, ConvType: conv.Type, Device: d.Device, Trace: d.Trace})
	return store.Appended{Message: d.Message}
}

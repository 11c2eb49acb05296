package chat

import (
	"cmp"
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Sending is a message to be sent.
type Sending struct {
	skein.Body

	Conv        skein.ID
	From        string // the sender; a client's own id where the caller is one
	ClientMsgID string
	Device      string // this device of the sender is left out of the live copy
	MarkRead    bool   // of the backend: the sender has read what was said before
}

// Sent is what came of a sending.
type Sent = store.Appended

// Send stores messages in this order and answers each with its seq, once all are
// durable or refused; members who are online see them after that. A retry with a
// known ClientMsgID answers the first message. A transient message is told to who is
// online and has no seq. Errors: those of store.Append.
func (s *Service) Send(ctx context.Context, by skein.Actor, all []Sending) []Sent {
	var sent []Sent
	for len(all) > 0 {
		n := 0
		for n < len(all) && !all[n].Transient {
			n++
		}
		if n == 0 {
			sent = append(sent, s.sendTransient(ctx, s.draft(by, all[0])))
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

func (s *Service) sendStored(ctx context.Context, by skein.Actor, all []Sending) []Sent {
	drafts := make([]skein.Draft, 0, len(all))
	for _, in := range all {
		drafts = append(drafts, s.draft(by, in))
	}
	sent, err := s.store.AppendAll(ctx, drafts)
	if err != nil {
		sent = make([]Sent, len(all))
	}
	for i := range sent {
		sent[i].Err = named(cmp.Or(err, sent[i].Err), drafts[i].Sender)
		if sent[i].Passed && sent[i].Err == nil {
			s.tellPassed(ctx, by, sent[i].Message)
		}
	}
	return sent
}

// draft is what is to be stored of a sending.
func (s *Service) draft(by skein.Actor, in Sending) skein.Draft {
	d := skein.Draft{
		Message: skein.Message{
			Body: in.Body, ID: s.newID(), Conv: in.Conv, Sender: in.From,
			ClientMsgID: in.ClientMsgID, Status: skein.StatusNormal, Created: s.now(),
		},
		App: by.App.ID, Need: by.Need, Device: in.Device, MarkRead: in.MarkRead,
	}
	if by.Server() {
		d.Need = skein.NeedServer
		return d
	}
	d.Need = sendingNeed(by.App.Settings, by.Need, in.MentionAll)
	return d
}

func (s *Service) sendTransient(ctx context.Context, d skein.Draft) Sent {
	conv, err := s.store.Admit(ctx, d)
	if err != nil {
		return Sent{Err: named(err, d.Sender)}
	}
	s.events.Say(skein.Sent{Message: d.Message, App: d.App, ConvType: conv.Type, Device: d.Device})
	return Sent{Message: d.Message}
}

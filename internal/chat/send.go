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
}

// Sent is what came of a sending.
type Sent struct {
	Message skein.Message
	Err     error
}

// Send stores messages in this order and answers each with its seq, once all are
// durable or refused; members who are online see them after that. A retry with a
// known ClientMsgID answers the first message. A transient message is told to who is
// online and has no seq. Errors: those of store.Append.
func (s *Service) Send(ctx context.Context, by skein.Actor, all []Sending) []Sent {
	sent := make([]Sent, 0, len(all))
	for len(all) > 0 {
		stored := 0
		for stored < len(all) && !all[stored].Transient {
			stored++
		}
		if stored > 0 {
			sent = s.sendStored(ctx, by, all[:stored], sent)
			all = all[stored:]
			continue
		}
		m, err := s.sendTransient(ctx, s.draft(by, all[0]))
		sent = append(sent, Sent{m, err})
		all = all[1:]
	}
	return sent
}

// sendStored appends what came of each to sent.
func (s *Service) sendStored(ctx context.Context, by skein.Actor, all []Sending, sent []Sent) []Sent {
	drafts := make([]skein.Draft, 0, len(all))
	for _, in := range all {
		drafts = append(drafts, s.draft(by, in))
	}
	answers, err := s.store.AppendAll(ctx, drafts)
	if err != nil {
		answers = make([]store.Appended, len(all))
	}
	for i, a := range answers {
		sent = append(sent, Sent{a.Message, named(cmp.Or(err, a.Err), drafts[i].Sender)})
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
		App: by.App.ID, Need: by.Need, Device: in.Device,
	}
	if by.Server() {
		d.Need = skein.NeedServer
	}
	return d
}

func (s *Service) sendTransient(ctx context.Context, d skein.Draft) (skein.Message, error) {
	conv, err := s.store.Admit(ctx, d)
	if err != nil {
		return skein.Message{}, named(err, d.Sender)
	}
	s.events.Say(skein.Sent{Message: d.Message, App: d.App, ConvType: conv.Type, Device: d.Device})
	return d.Message, nil
}

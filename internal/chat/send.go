package chat

import (
	"context"

	"github.com/skein-im/skein"
)

// Sending is a message to be sent.
type Sending struct {
	skein.Body

	Conv        skein.ID
	From        string // the sender; a client's own id where the caller is one
	ClientMsgID string
	Device      string // this device of the sender is left out of the live copy
}

// Send stores a message and answers it with its seq, durable; members who are
// online see it after that. A retry with a known ClientMsgID answers the first
// message. A transient message is told to who is online and has no seq.
// Errors: those of store.Append.
func (s *Service) Send(ctx context.Context, by skein.Actor, in Sending) (skein.Message, error) {
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
	if in.Transient {
		return s.sendTransient(ctx, d)
	}
	m, _, err := s.store.Append(ctx, d)
	return m, named(err, d.Sender)
}

func (s *Service) sendTransient(ctx context.Context, d skein.Draft) (skein.Message, error) {
	conv, err := s.store.Admit(ctx, d)
	if err != nil {
		return skein.Message{}, named(err, d.Sender)
	}
	s.events.Say(skein.Sent{Message: d.Message, App: d.App, ConvType: conv.Type, Device: d.Device})
	return d.Message, nil
}

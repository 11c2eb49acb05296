package chat

import (
	"context"

	"github.com/skein-im/skein"
)

// Typing tells the other members who are online that the calling client began to
// type, or ended. In rooms and large groups it tells nobody. Errors:
// skein.ErrUnknownConversation, skein.ErrForbidden, also for a muted member that begins.
func (s *Service) Typing(ctx context.Context, by skein.Actor, id skein.ID, on bool) error {
	conv, me, err := s.admit(ctx, by, id)
	if err == nil && on {
		err = toSpeak(s.asks(by, conv, me))
	}
	if err != nil || conv.Type == skein.Room || conv.Members > maxToldAtOnce {
		return err
	}
	s.tell(by, skein.EventTyping, id, func(n *skein.Notice) { n.Except, n.On = by.Client, on })
	return nil
}

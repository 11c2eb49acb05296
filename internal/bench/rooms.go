package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein/internal/bench/load"
)

// rooms has several senders in a chat room whose members are all online. A unit is a delivery.
func rooms(ctx context.Context, r *load.Run) error {
	const usual, speakers, window = 2000, 8, 2
	a, err := newAudience(ctx, r, load.TypeRoom, r.ClientsOr(usual), speakers)
	if err != nil {
		return err
	}
	c, err := a.gather(ctx, r, r.Host, window)
	if err != nil {
		return err
	}
	s, err := r.Speak(ctx, r.Host, c, "", r.Lasting(10*time.Second))
	if err != nil {
		return err
	}
	about := fmt.Sprintf("%d in the room, %d of them send, %d under way each", len(a.clients), a.speakers, window)
	values := s.Values("delivery", "deliveries", s.Pushes, nil, nil)
	return r.Report("", about, values, s.Checked, s.Faults())
}

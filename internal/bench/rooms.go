package bench

import (
	"context"
	"fmt"
	"time"
)

// rooms: in a chat room several send at the same time, and all are online. A unit is
// a delivery.
func rooms(ctx context.Context, r *run) error {
	const usual, speakers, window = 2000, 8, 2
	a, err := r.audience(ctx, typeRoom, r.clients(usual), speakers)
	if err != nil {
		return err
	}
	c, err := a.gather(ctx, r, r.host, window)
	if err != nil {
		return err
	}
	s, err := r.speak(ctx, r.host, c, "", r.lasting(10*time.Second))
	if err != nil {
		return err
	}
	about := fmt.Sprintf("%d in the room, %d of them send, %d under way each", len(a.clients), a.speakers, window)
	values := s.values("delivery", "deliveries", s.pushes, nil, nil)
	return r.phase("", about, values, s.checked, s.faults())
}

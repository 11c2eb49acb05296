package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/report"
)

// group has one sender in a group whose members are all online: once at a fixed rate, once as fast
// as answers come. A unit is a delivery.
func group(ctx context.Context, r *load.Run) error {
	const usual = 1000
	a, err := newAudience(ctx, r, load.TypeGroup, r.ClientsOr(usual), 1)
	if err != nil {
		return err
	}
	for _, p := range []struct {
		name, about string
		window      int
		interval    time.Duration // between messages; zero: as fast as the window lets
		cpu, many   *report.Target
	}{
		{"100 messages a second", "100 messages a second", 0, time.Second / 100, report.AtMost(7), nil},
		{"window 8", "8 under way", 8, 0, report.AtMost(4), report.AtLeast(200_000)},
	} {
		about := fmt.Sprintf("%d members online, one sends, %s", len(a.clients), p.about)
		if err := r.BesideFloor(p.name, about, 10*time.Second, 5*time.Second, func(h *driver.Host, d time.Duration) (load.Spoken, []report.Value, error) {
			c, err := a.gather(ctx, r, h, p.window)
			if err != nil {
				return load.Spoken{}, nil, err
			}
			var s load.Spoken
			if p.interval == 0 {
				s, err = r.Speak(ctx, h, c, p.name, d)
			} else {
				s, err = r.Pace(ctx, h, c, p.name, d, p.interval)
			}
			return s, s.Values("delivery", "deliveries", s.Pushes, r.ForTheUsual(p.cpu), r.ForTheUsual(p.many)), err
		}); err != nil {
			return err
		}
	}
	return nil
}

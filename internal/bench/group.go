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
	floor, err := driver.StartFloor(r.Options.Options)
	if err != nil {
		return err
	}
	defer floor.End()
	for _, p := range []struct {
		name, about string
		window      int
		interval    time.Duration // between messages; zero: as fast as the window lets
		cpu, many   *report.Target
	}{
		{"100 messages a second", "100 messages a second", 0, time.Second / 100, report.AtMost(7), nil},
		{"window 8", "8 under way", 8, 0, report.AtMost(4), report.AtLeast(200_000)},
	} {
		speakTo := func(h *driver.Host, d time.Duration) (load.Spoken, error) {
			c, err := a.gather(ctx, r, h, p.window)
			if err != nil {
				return load.Spoken{}, err
			}
			if p.interval == 0 {
				return r.Speak(ctx, h, c, p.name, d)
			}
			return r.Pace(ctx, h, c, p.name, d, p.interval)
		}
		s, err := speakTo(r.Host, r.Lasting(10*time.Second))
		if err != nil {
			return err
		}
		f, err := speakTo(floor, r.Lasting(5*time.Second))
		if err != nil {
			return err
		}
		figures := func(s load.Spoken) []report.Value {
			return s.Values("delivery", "deliveries", s.Pushes, r.ForTheUsual(p.cpu), r.ForTheUsual(p.many))
		}
		about := fmt.Sprintf("%d members online, one sends, %s", len(a.clients), p.about)
		if err := r.Report(p.name, about, load.WithFloor(figures(s), figures(f)), s.Checked, s.Faults(f)); err != nil {
			return err
		}
	}
	return nil
}

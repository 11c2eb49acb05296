package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/report"
)

// pairs has one sender and one reader in each pair; the sender has a window of messages under way. A
// unit is a message: sent, stored, answered and pushed.
func pairs(ctx context.Context, r *load.Run) error {
	const usual = 500
	crowd, err := r.Couples(ctx, r.ClientsOr(2*usual)/2)
	if err != nil {
		return err
	}
	for _, p := range []struct {
		window    int
		cpu, rate *report.Target
	}{
		{1, report.AtMost(65), nil},
		{16, report.AtMost(40), report.AtLeast(25_000)},
	} {
		name := fmt.Sprintf("window %d", p.window)
		about := fmt.Sprintf("%d pairs, one sends and one reads, %d under way each", len(crowd.Convs), p.window)
		if err := r.BesideFloor(name, about, 10*time.Second, 5*time.Second, func(h *driver.Host, d time.Duration) (load.Spoken, []report.Value, error) {
			c, err := crowd.Gather(ctx, r, h, p.window)
			if err != nil {
				return load.Spoken{}, nil, err
			}
			s, err := r.Speak(ctx, h, c, name, d)
			return s, s.Values("message", "messages", s.Answers, r.ForTheUsual(p.cpu), r.ForTheUsual(p.rate)), err
		}); err != nil {
			return err
		}
	}
	return nil
}

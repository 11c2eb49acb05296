package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/report"
)

// latency sends messages at a fixed rate, spread over pairs, and measures for each the time from
// when it was due until the other client has it.
func latency(ctx context.Context, r *load.Run) error {
	const usual, interval = 500, time.Second / 1000
	p, err := r.Couples(ctx, r.ClientsOr(2*usual)/2)
	if err != nil {
		return err
	}
	floor, err := driver.StartFloor(r.Options.Options)
	if err != nil {
		return err
	}
	defer floor.End()
	targets := map[float64]*report.Target{50: r.ForTheUsual(report.AtMost(2)), 99: r.ForTheUsual(report.AtMost(6))}
	speakTo := func(h *driver.Host, d time.Duration) (load.Spoken, []report.Value, error) {
		c, err := p.Gather(ctx, r, h, 0)
		if err != nil {
			return load.Spoken{}, nil, err
		}
		took := load.NewLatencies()
		c.OnPush = func(m ledger.Message) { took.Record(time.Since(c.DueAt(m, len(p.Convs), interval))) }
		s, err := r.Pace(ctx, h, c, "", d, interval)
		if err != nil {
			return load.Spoken{}, nil, err
		}
		return s, append(took.Values("end to end", targets), s.Values("message", "messages", s.Answers, nil, nil)...), nil
	}
	s, values, err := speakTo(r.Host, r.Lasting(15*time.Second))
	if err != nil {
		return err
	}
	f, floored, err := speakTo(floor, r.Lasting(10*time.Second))
	if err != nil {
		return err
	}
	about := fmt.Sprintf("%d messages a second over %d pairs, counted from when each was due", time.Second/interval, len(p.Convs))
	return r.Report("", about, load.WithFloor(values, floored), s.Checked, s.Faults(f))
}

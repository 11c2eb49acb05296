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
	targets := map[float64]*report.Target{50: r.ForTheUsual(report.AtMost(2)), 99: r.ForTheUsual(report.AtMost(6))}
	if r.Nodes > 1 && r.Clients == 0 {
		targets = map[float64]*report.Target{99: report.AtMost(10)} // the other client is on another node
	}
	about := fmt.Sprintf("%d messages a second over %d pairs, counted from when each was due", time.Second/interval, len(p.Convs))
	return r.BesideFloor("", about, 15*time.Second, 10*time.Second, func(h *driver.Host, d time.Duration) (load.Spoken, []report.Value, error) {
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
	})
}

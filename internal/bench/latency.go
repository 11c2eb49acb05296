package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/report"
)

// latency: messages at a fixed rate, spread over pairs, each timed from when it was
// due to when the other side has it.
func latency(ctx context.Context, r *run) error {
	const usual, interval = 500, time.Second / 1000
	p, err := r.couples(ctx, r.clients(2*usual)/2)
	if err != nil {
		return err
	}
	floor, err := startFloor(r.Options)
	if err != nil {
		return err
	}
	defer floor.end()
	targets := map[float64]*report.Target{50: r.forTheUsual(report.AtMost(2)), 99: r.forTheUsual(report.AtMost(6))}
	load := func(h *host, d time.Duration) (spoken, []report.Value, error) {
		c, err := p.gather(ctx, r, h, 0)
		if err != nil {
			return spoken{}, nil, err
		}
		took := newLatencies()
		c.onPush = func(m ledger.Message) { took.record(time.Since(c.dueAt(m, len(p.convs), interval))) }
		s, err := r.pace(ctx, h, c, "", d, interval)
		if err != nil {
			return spoken{}, nil, err
		}
		return s, append(took.values("end to end", targets), s.values("message", "messages", s.answers, nil, nil)...), nil
	}
	s, values, err := load(r.host, r.lasting(15*time.Second))
	if err != nil {
		return err
	}
	f, floored, err := load(floor, r.lasting(10*time.Second))
	if err != nil {
		return err
	}
	about := fmt.Sprintf("%d messages a second over %d pairs, counted from when each was due", time.Second/interval, len(p.convs))
	return r.phase("", about, withFloor(values, floored), s.checked, s.faults(f))
}

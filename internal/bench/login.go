package bench

import (
	"context"
	"fmt"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/report"
)

// storming is how many clients of a storm log in at the same time.
const storming = 256

// login logs known clients in at once, as after a restart.
func login(ctx context.Context, r *load.Run) error {
	const usual = 10_000
	n := r.ClientsOr(usual)
	if r.Count > 0 {
		n = r.Count
	}
	clients, err := r.Users(ctx, "l", n)
	if err != nil {
		return err
	}
	q := load.NewQuiet()
	defer q.End()
	took := load.NewLatencies()
	m, err := r.Measure(ctx, r.Host, "", driver.MaxProfile, func() error { return q.JoinAll(ctx, r.Host, clients, storming, took.Record) })
	if err != nil {
		return err
	}
	if err := q.Check(ctx, r.Patience); err != nil {
		return err
	}
	values := append(m.Values("login", "logins", int64(n), r.ForTheUsual(report.AtMost(220)), nil), took.Values("connect and login", nil)...)
	about := fmt.Sprintf("%d known clients, %d on their way in at a time", n, min(n, storming))
	return r.Report("", about, values, fmt.Sprintf("each of %d logins was answered, each socket answers at the end", n), &q.Faults)
}

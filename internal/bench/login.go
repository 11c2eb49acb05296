package bench

import (
	"context"
	"fmt"

	"github.com/skein-im/skein/internal/bench/report"
)

// storming is how many clients of a storm are on their way in at the same time.
const storming = 256

// login: all clients come at once, as after a restart; each is known.
func login(ctx context.Context, r *run) error {
	const usual = 10_000
	n := r.clients(usual)
	if r.Count > 0 {
		n = r.Count
	}
	clients, err := r.users(ctx, "l", n)
	if err != nil {
		return err
	}
	q := newQuiet()
	defer q.end()
	took := newLatencies()
	m, err := r.measure(ctx, r.host, "", maxProfile, func() error { return q.joinAll(ctx, r.host, clients, storming, took.record) })
	if err != nil {
		return err
	}
	if err := q.check(ctx, r.patience); err != nil {
		return err
	}
	values := append(m.values("login", "logins", int64(n), r.forTheUsual(report.AtMost(220)), nil), took.values("connect and login", nil)...)
	about := fmt.Sprintf("%d known clients, %d on their way in at a time", n, min(n, storming))
	return r.phase("", about, values, fmt.Sprintf("each of %d logins was answered, each socket answers at the end", n), &q.faults)
}

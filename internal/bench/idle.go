package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/report"
)

// heartbeat is how often the server pings a socket. In this time each idle socket is pinged exactly
// once.
const heartbeat = 25 * time.Second

// idle measures what a login costs, how much memory an idle socket takes, and how much CPU.
func idle(ctx context.Context, r *load.Run) error {
	const usual = 10_000
	clients, err := r.Users(ctx, "i", r.ClientsOr(usual))
	if err != nil {
		return err
	}
	n := len(clients)
	watch := r.Lasting(heartbeat)
	before, err := quietMemory(ctx, r, watch)
	if err != nil {
		return err
	}
	q := load.NewQuiet()
	defer q.End()
	logins, err := r.Measure(ctx, r.Host, "logins", driver.MaxProfile, func() error { return q.JoinAll(ctx, r.Host, clients, driver.SetupConnections, nil) })
	if err != nil {
		return err
	}
	watched, err := r.Measure(ctx, r.Host, "", watch, func() error { return driver.Wait(ctx, watch) })
	if err != nil {
		return err
	}
	after, err := memory(ctx, r)
	if err != nil {
		return err
	}
	if err := q.Check(ctx, r.Patience); err != nil {
		return err
	}
	var values []report.Value
	if watched.Known {
		values = []report.Value{
			{Name: "server memory (RSS) a socket", Value: float64(after-before) / float64(n), Unit: "B", Target: r.ForTheUsual(report.AtMost(5000))},
			{Name: "server CPU while idle, of a core", Value: 100 * watched.CPU.Seconds() / watched.Took.Seconds(), Unit: "%", Target: r.ForTheUsual(report.AtMost(1))},
			{Name: "server CPU a login", Value: load.Micros(logins.CPU) / float64(n), Unit: "µs", Target: r.ForTheUsual(report.AtMost(220))},
		}
	}
	values = append(values, report.Value{Name: "logins a second", Value: float64(n) / logins.Took.Seconds()})
	about := fmt.Sprintf("%d sockets that say nothing for %v", n, watched.Took.Round(time.Second))
	return r.Report("", about, values, fmt.Sprintf("each of %d sockets answers at the end", n), &q.Faults)
}

// quietMemory is the server's memory after a time without calls. The memory with the sockets is
// measured after such a time too.
func quietMemory(ctx context.Context, r *load.Run, watch time.Duration) (int64, error) {
	if r.Host.PID == 0 {
		return 0, nil
	}
	if err := driver.Wait(ctx, watch); err != nil {
		return 0, err
	}
	return memory(ctx, r)
}

// memory is the server's memory; zero if its pid is unknown.
func memory(ctx context.Context, r *load.Run) (int64, error) {
	if r.Host.PID == 0 {
		return 0, nil
	}
	return r.Host.Memory(ctx)
}

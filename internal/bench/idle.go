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
	rest := func(name string) (m load.Measured, memory int64, err error) {
		if m, err = r.Measure(ctx, r.Host, name, watch, func() error { return driver.Wait(ctx, watch) }); err == nil && m.Known {
			memory, err = r.Host.Memory(ctx)
		}
		return m, memory, err
	}
	empty, before, err := rest("empty")
	if err != nil {
		return err
	}
	q := load.NewQuiet()
	defer q.End()
	logins, err := r.Measure(ctx, r.Host, "logins", driver.MaxProfile, func() error { return q.JoinAll(ctx, r.Host, clients, driver.SetupConnections, nil) })
	if err != nil {
		return err
	}
	watched, after, err := rest("")
	if err != nil {
		return err
	}
	if err := q.Check(ctx, r.Patience); err != nil {
		return err
	}
	ofACore := func(m load.Measured) float64 { return 100 * m.Used.CPU().Seconds() / m.Took.Seconds() }
	var values []report.Value
	if watched.Known {
		values = []report.Value{
			{Name: "server memory (RSS) a socket", Value: float64(after-before) / float64(n), Unit: "B", Target: r.ForTheUsual(report.AtMost(5000))},
			{Name: "server CPU while idle, of a core", Value: ofACore(watched), Unit: "%", Target: r.ForTheUsual(report.AtMost(1))},
			{Name: "server CPU without sockets, of a core", Value: ofACore(empty), Unit: "%"},
			{Name: "server memory (RSS) without sockets", Value: float64(before) / (1 << 20), Unit: "MiB"},
			{Name: "server CPU a login", Value: load.Micros(logins.Used.CPU()) / float64(n), Unit: "µs", Target: r.ForTheUsual(report.AtMost(220))},
		}
	}
	if r.Host.OnDatabase() {
		values = append(values,
			report.Value{Name: "of it PostgreSQL, while idle, of a core", Value: 100 * watched.Used.Database.Seconds() / watched.Took.Seconds(), Unit: "%"},
			report.Value{Name: "of it PostgreSQL, without sockets, of a core", Value: 100 * empty.Used.Database.Seconds() / empty.Took.Seconds(), Unit: "%"})
	}
	values = append(values, report.Value{Name: "logins a second", Value: float64(n) / logins.Took.Seconds()})
	about := fmt.Sprintf("%d sockets that say nothing for %v", n, watched.Took.Round(time.Second))
	return r.Report("", about, values, fmt.Sprintf("each of %d sockets answers at the end", n), &q.Faults)
}

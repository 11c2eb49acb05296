package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/proc"
	"github.com/skein-im/skein/internal/bench/report"
)

// Measured is the cost of a piece of work.
type Measured struct {
	Took  time.Duration
	own   time.Duration // CPU of the generator
	Used  driver.Usage  // by the server
	rss   int64         // of the server, at the end
	Known bool          // that the server's processes, and so Used and rss, are known

	onDatabase     bool  // Used tells the nodes from PostgreSQL
	databaseMemory int64 // of PostgreSQL, at the end
}

// Measure does the work, which takes about d, and returns what it cost the host. What was done before and what
// is done afterwards, such as registering and deleting clients, is not counted.
func (r *Run) Measure(ctx context.Context, h *driver.Host, name string, d time.Duration, work func() error) (m Measured, err error) {
	wait := r.profile(ctx, h, name, d)
	before, err := h.Usage(ctx)
	if err != nil {
		return m, err
	}
	ownBefore, err := proc.CPU(os.Getpid())
	if err != nil {
		return m, err
	}
	start := time.Now()
	if err := work(); err != nil {
		return m, err
	}
	m.Took = time.Since(start)
	after, err := h.Usage(ctx)
	if err != nil {
		return m, err
	}
	ownAfter, err := proc.CPU(os.Getpid())
	if err != nil {
		return m, err
	}
	m.Used, m.own, m.Known, m.onDatabase = after.Since(before), ownAfter-ownBefore, h.Known(), h.OnDatabase()
	if m.Known {
		if m.rss, err = h.RSS(); err != nil {
			return m, err
		}
	}
	if m.onDatabase {
		if m.databaseMemory, err = h.DatabaseMemory(); err != nil {
			return m, err
		}
	}
	return m, wait()
}

// profile starts a CPU profile of the server if the options want one. wait waits for its end.
func (r *Run) profile(ctx context.Context, h *driver.Host, phase string, d time.Duration) (wait func() error) {
	if r.Profile == "" || h.Admin == "" {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() { // wait waits for it
		done <- h.KeepProfile(ctx, profileName(r.Profile, r.scenario, phase), min(d, driver.MaxProfile))
	}()
	return func() error {
		if err := <-done; err != nil {
			return fmt.Errorf("--profile: %w", err)
		}
		return nil
	}
}

// profileName puts scenario and phase into the name of a file: cpu.pprof becomes
// cpu-pairs-window-16.pprof.
func profileName(file, scenario, phase string) string {
	ext := filepath.Ext(file)
	name := strings.TrimSuffix(file, ext) + "-" + scenario
	if phase != "" {
		name += "-" + strings.ReplaceAll(phase, " ", "-")
	}
	return name + ext
}

// Values are the figures of work that is counted in units: CPU of the server a unit, with PostgreSQL's, units a
// second, CPU of the generator a unit, memory of the server.
func (m Measured) Values(one, many string, units int64, cpu, rate *report.Target) []report.Value {
	n, seconds := float64(max(1, units)), max(m.Took, time.Nanosecond).Seconds()
	var values []report.Value
	if m.Known {
		values = append(values, report.Value{Name: "server CPU a " + one, Value: Micros(m.Used.CPU()) / n, Unit: "µs", Target: cpu})
	}
	if m.onDatabase {
		values = append(values,
			report.Value{Name: "of it PostgreSQL, a " + one, Value: Micros(m.Used.Database) / n, Unit: "µs"},
			report.Value{Name: "log of PostgreSQL a " + one, Value: float64(m.Used.WAL) / n, Unit: "B"})
	}
	values = append(values,
		report.Value{Name: many + " a second", Value: n / seconds, Target: rate},
		report.Value{Name: "generator CPU a " + one, Value: Micros(m.own) / n, Unit: "µs"})
	if m.Known {
		values = append(values, report.Value{Name: "server memory (RSS)", Value: float64(m.rss) / (1 << 20), Unit: "MiB"})
	}
	if m.onDatabase {
		values = append(values, report.Value{Name: "memory of PostgreSQL (PSS)", Value: float64(m.databaseMemory) / (1 << 20), Unit: "MiB"})
	}
	return values
}

// Micros is a duration in microseconds.
func Micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// WithoutGenerator leaves out the figures of this process, for scenarios whose clients are in others.
func WithoutGenerator(values []report.Value) []report.Value {
	return slices.DeleteFunc(values, func(v report.Value) bool { return strings.HasPrefix(v.Name, "generator") })
}

// WithFloor adds the floor's figure to each of the server's figures of the same name.
func WithFloor(values, floor []report.Value) []report.Value {
	for i, v := range values {
		for _, f := range floor {
			if f.Name == v.Name && !strings.HasPrefix(v.Name, "generator") {
				values[i].Floor = &f.Value
			}
		}
	}
	return values
}

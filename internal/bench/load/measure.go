package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/proc"
	"github.com/skein-im/skein/internal/bench/report"
)

// measured is the cost of a piece of work.
type measured struct {
	Took  time.Duration
	own   time.Duration // CPU of the generator
	CPU   time.Duration // CPU of the server
	rss   int64         // of the server, at the end
	Known bool          // that the server's pid, and so cpu and rss, are known
}

// Measure does the work, which takes about d, and returns what it cost the host.
func (r *Run) Measure(ctx context.Context, h *driver.Host, name string, d time.Duration, work func() error) (m measured, err error) {
	wait := r.profile(ctx, h, name, d)
	before, err := h.CPU()
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
	after, err := h.CPU()
	if err != nil {
		return m, err
	}
	ownAfter, err := proc.CPU(os.Getpid())
	if err != nil {
		return m, err
	}
	m.CPU, m.own, m.Known = after-before, ownAfter-ownBefore, h.PID != 0
	if m.Known {
		if m.rss, err = proc.RSS(h.PID); err != nil {
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

// Values are the figures of work that is counted in units: CPU of the server a unit, units a
// second, CPU of the generator a unit, memory of the server.
func (m measured) Values(one, many string, units int64, cpu, rate *report.Target) []report.Value {
	n := float64(max(1, units))
	var values []report.Value
	if m.Known {
		values = append(values, report.Value{Name: "server CPU a " + one, Value: Micros(m.CPU) / n, Unit: "µs", Target: cpu})
	}
	values = append(values,
		report.Value{Name: many + " a second", Value: n / m.Took.Seconds(), Target: rate},
		report.Value{Name: "generator CPU a " + one, Value: Micros(m.own) / n, Unit: "µs"})
	if m.Known {
		values = append(values, report.Value{Name: "server memory (RSS)", Value: float64(m.rss) / (1 << 20), Unit: "MiB"})
	}
	return values
}

// Micros is a duration in microseconds.
func Micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

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

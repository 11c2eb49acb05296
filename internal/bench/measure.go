package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/bench/report"
)

// measured is what a piece of work cost.
type measured struct {
	took  time.Duration
	own   time.Duration // CPU of the generator
	cpu   time.Duration // CPU of the server
	rss   int64         // of the server, at the end
	known bool          // that the server's pid, and so cpu and rss, are known
}

// measure does the work, which takes about d, and says what it cost the host.
func (r *run) measure(ctx context.Context, h *host, name string, d time.Duration, work func() error) (m measured, err error) {
	wait := r.profile(ctx, h, name, d)
	before, err := h.cpu()
	if err != nil {
		return m, err
	}
	ownBefore, err := cpuOf(os.Getpid())
	if err != nil {
		return m, err
	}
	start := time.Now()
	if err := work(); err != nil {
		return m, err
	}
	m.took = time.Since(start)
	after, err := h.cpu()
	if err != nil {
		return m, err
	}
	ownAfter, err := cpuOf(os.Getpid())
	if err != nil {
		return m, err
	}
	m.cpu, m.own, m.known = after-before, ownAfter-ownBefore, h.pid != 0
	if m.known {
		if m.rss, err = rssOf(h.pid); err != nil {
			return m, err
		}
	}
	return m, wait()
}

// cpu is what the host has used; zero where its pid is unknown.
func (h *host) cpu() (time.Duration, error) {
	if h.pid == 0 {
		return 0, nil
	}
	return cpuOf(h.pid)
}

// maxProfile bounds a profile; the server writes it when its time is over.
const maxProfile = 5 * time.Second

// profile starts a CPU profile of the server, if one was asked for; what it answers
// waits for its end.
func (r *run) profile(ctx context.Context, h *host, phase string, d time.Duration) (wait func() error) {
	if r.Profile == "" || h.admin == "" {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() { // wait waits for it
		done <- h.keepProfile(ctx, profileName(r.Profile, r.scenario.name, phase), min(d, maxProfile))
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

func (h *host) keepProfile(ctx context.Context, file string, d time.Duration) error {
	at := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", h.admin, max(1, int(d.Seconds())))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	resp, err := h.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	profile, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(file, profile, 0o600)
}

// values are the figures of work in units: CPU of the server a unit, units a second,
// CPU of the generator a unit, memory of the server.
func (m measured) values(one, many string, units int64, cpu, rate *report.Target) []report.Value {
	n := float64(max(1, units))
	var values []report.Value
	if m.known {
		values = append(values, report.Value{Name: "server CPU a " + one, Value: micros(m.cpu) / n, Unit: "µs", Target: cpu})
	}
	values = append(values,
		report.Value{Name: many + " a second", Value: n / m.took.Seconds(), Target: rate},
		report.Value{Name: "generator CPU a " + one, Value: micros(m.own) / n, Unit: "µs"})
	if m.known {
		values = append(values, report.Value{Name: "server memory (RSS)", Value: float64(m.rss) / (1 << 20), Unit: "MiB"})
	}
	return values
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// withFloor puts the floor's figures of the same name beside the server's.
func withFloor(values, floor []report.Value) []report.Value {
	for i, v := range values {
		for _, f := range floor {
			if f.Name == v.Name && !strings.HasPrefix(v.Name, "generator") {
				values[i].Floor = &f.Value
			}
		}
	}
	return values
}

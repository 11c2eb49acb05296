package neighbours

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/proc"
	"github.com/skein-im/skein/internal/bench/report"
)

// The bound on the latency of an app's calls while another app attacks within its limits.
const (
	maxSlowdown = 5   // times the same figure while the other app is quiet
	maxSlow     = 250 // milliseconds, where that is more
)

// Run plays the attacks. One app works at a fixed, modest rate while another app, or a stranger,
// does the worst that the default limits allow. Each attack has a server of its own, and the
// attacker is a process of the lowest priority.
func Run(ctx context.Context, r *load.Run) error {
	if len(r.Target) > 0 {
		return errors.New("this scenario needs two apps and starts a server of its own: leave out --target")
	}
	chosen, err := chooseAttacks(r.Attacks)
	if err != nil {
		return err
	}
	for _, a := range chosen {
		if err := suffer(ctx, r, a); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return nil
}

func chooseAttacks(names []string) ([]attack, error) {
	if len(names) == 0 {
		return attacks, nil
	}
	var chosen []attack
	for _, name := range names {
		at := slices.IndexFunc(attacks, func(a attack) bool { return a.name == name })
		if at < 0 {
			return nil, fmt.Errorf("no attack %q; there are %s", name, strings.Join(Names(), ", "))
		}
		chosen = append(chosen, attacks[at])
	}
	return chosen, nil
}

// Names are the names of all attacks of the scenario neighbours.
func Names() []string {
	names := make([]string, len(attacks))
	for i, a := range attacks {
		names[i] = a.name
	}
	return names
}

// suffer measures the quiet app before and during one attack.
func suffer(ctx context.Context, r *load.Run, a attack) error {
	hosts, err := driver.StartTenants(ctx, r.Options.Options, a.handles, "quiet", "loud")
	if err != nil {
		return err
	}
	server := hosts[0]
	defer server.End()
	v, err := newVictim(ctx, r.On(server, "q"))
	if err != nil {
		return server.Explain(err)
	}
	t, err := ready(r, a, server, hosts[1])
	if t != nil {
		defer t.End()
	}
	if err != nil {
		return server.Explain(err)
	}
	quiet, err := v.work(ctx, r.Lasting(5*time.Second))
	if err != nil {
		return server.Explain(err)
	}
	if err := t.attack(); err != nil {
		return server.Explain(err)
	}
	loud, err := v.work(ctx, r.Lasting(8*time.Second))
	made, stopped := t.stop()
	if err := errors.Join(err, stopped); err != nil {
		return server.Explain(err)
	}
	values := loud.beside(quiet)
	rss, err := proc.RSS(server.PID)
	if err != nil {
		return err
	}
	values = append(values,
		report.Value{Name: "server memory (RSS)", Value: float64(rss) / (1 << 20), Unit: "MiB"},
		report.Value{Name: "calls of the attack that went through", Value: float64(made.Answered)},
		report.Value{Name: "calls of the attack that were refused or cut", Value: float64(made.Refused)})
	about := a.about
	if r.Clients > 0 {
		about += fmt.Sprintf("; here at most %d of each", r.Clients)
	}
	return r.Report(a.name, about, values, loud.checked, loud.faults)
}

// suffered are the figures of the quiet app over a time.
type suffered struct {
	took    []*kindOfCall
	checked string
	faults  *ledger.Faults
}

// beside returns the figures, each with the same figure of a quieter time as its floor.
func (s suffered) beside(quiet suffered) []report.Value {
	var values []report.Value
	for i, kind := range s.took {
		before := quiet.took[i].latencies.Values(kind.name, nil)
		values = append(values, load.WithFloor(kind.latencies.Values(kind.name, map[float64]*report.Target{99: bound(before)}), before)...)
	}
	return slices.DeleteFunc(values, func(v report.Value) bool { return v.Target == nil && !isMedian(v.Name) })
}

// bound is the target of a p99, given the figures of a quiet time.
func bound(quiet []report.Value) *report.Target {
	p99 := quiet[slices.IndexFunc(quiet, func(v report.Value) bool { return isTail(v.Name) })].Value
	return report.AtMost(max(maxSlowdown*p99, maxSlow))
}

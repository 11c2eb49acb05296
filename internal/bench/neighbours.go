package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/report"
)

// The bound of promise 10: what the calls of an app may take while another app does
// what its limits let it do.
const (
	maxSlowdown = 5   // times the same figure while the other app is quiet
	maxSlow     = 250 // milliseconds, where that is more
)

// neighbours: an app works at a fixed, modest rate while another app, or a stranger,
// does the worst that the default limits allow. Each attack has a server of its own, and
// an attacker that is a process of the lowest priority.
func neighbours(ctx context.Context, r *run) error {
	if r.Target != "" {
		return errors.New("this scenario needs two apps and starts a server of its own: leave out --target")
	}
	chosen, err := chooseAttacks(r.Attacks)
	if err != nil {
		return err
	}
	for _, a := range chosen {
		if err := r.suffer(ctx, a); err != nil {
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
			return nil, fmt.Errorf("no attack %q; there are %s", name, strings.Join(AttackNames(), ", "))
		}
		chosen = append(chosen, attacks[at])
	}
	return chosen, nil
}

// AttackNames are the names of all attacks of the scenario neighbours.
func AttackNames() []string {
	names := make([]string, len(attacks))
	for i, a := range attacks {
		names[i] = a.name
	}
	return names
}

// suffer measures the quiet app before and during one attack.
func (r *run) suffer(ctx context.Context, a attack) error {
	hosts, err := tenants(ctx, r.Options, a.handles, "quiet", "loud")
	if err != nil {
		return err
	}
	server := hosts[0]
	defer server.end()
	v, err := newVictim(ctx, r.on(server, "q"))
	if err != nil {
		return server.explain(err)
	}
	t, err := r.ready(a, server, hosts[1])
	if t != nil {
		defer t.end()
	}
	if err != nil {
		return server.explain(err)
	}
	quiet, err := v.work(ctx, r.lasting(5*time.Second))
	if err != nil {
		return server.explain(err)
	}
	if err := t.attack(); err != nil {
		return server.explain(err)
	}
	loud, err := v.work(ctx, r.lasting(8*time.Second))
	made, stopped := t.stop()
	if err := errors.Join(err, stopped); err != nil {
		return server.explain(err)
	}
	values := loud.beside(quiet)
	rss, err := rssOf(server.pid)
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
	return r.phase(a.name, about, values, loud.checked, loud.faults)
}

// on is this run as one app of a server.
func (r *run) on(h *host, tag string) *run {
	return &run{Options: r.Options, scenario: r.scenario, out: r.out, host: h, rng: r.rng, tag: tag}
}

// suffered is what the quiet app saw of the server for a while.
type suffered struct {
	took    []*kindOfCall
	checked string
	faults  *ledger.Faults
}

// beside is the figures, each with the same one of a quieter time as its floor.
func (s suffered) beside(quiet suffered) []report.Value {
	var values []report.Value
	for i, kind := range s.took {
		before := quiet.took[i].latencies.values(kind.name, nil)
		values = append(values, withFloor(kind.latencies.values(kind.name, map[float64]*report.Target{99: bound(before)}), before)...)
	}
	return slices.DeleteFunc(values, func(v report.Value) bool { return v.Target == nil && !isMedian(v.Name) })
}

// bound is the target of a p99, given the figures of a quiet time.
func bound(quiet []report.Value) *report.Target {
	p99 := quiet[slices.IndexFunc(quiet, func(v report.Value) bool { return isTail(v.Name) })].Value
	return report.AtMost(max(maxSlowdown*p99, maxSlow))
}

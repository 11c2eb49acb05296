// Package bench is the load generator behind `skein-bench`. It speaks real HTTP and
// WebSocket to a server that is another process, reads what that process used from
// /proc, and holds what each client was answered and pushed against the history: a
// run that loses, doubles or swaps a message is a failed run, however fast. It knows
// the server by its documented protocol alone.
package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/report"
)

// Options are what a run is told.
type Options struct {
	Scenarios   []string      // names of Scenarios; none: all
	Phase       time.Duration // how long each takes; zero: the scenario's own
	Count       int           // units of work of each phase, in the place of Phase; zero: as many as fit
	Clients     int           // of each scenario; zero: the scenario's own, which the targets are for
	Attacks     []string      // names of attacks of the scenario neighbours; none: all
	Seed        uint64        // of what is drawn
	NoClientIDs bool          // messages without client_msg_id
	Profile     string        // file for CPU profiles of the server; empty: none
	Program     string        // the server's binary
	Self        string        // the load generator's own, which also plays the floor and the attacks
	Dir         string        // where the stores of the servers it starts are; empty: the temporary directory
	Target      string        // URL of a server that runs already; empty: one is started for each scenario
	Admin       string        // URL of its admin address; empty: no profile, memory as it is
	PID         int           // of that server; zero: its CPU and memory are not known
	App, Key    string        // of that server
	Version     string        // of this binary
	Commit      string        // likewise
	Now         func() time.Time
	limit       time.Duration // of one scenario; default maxScenario
	patience    time.Duration // for what must come; default maxPatience
}

// Bounds, so that a run ends by itself whatever the server does.
const (
	maxScenario = 5 * time.Minute
	maxPatience = 20 * time.Second
)

// scenario is one thing that can be measured.
type scenario struct {
	name  string
	about string
	run   func(context.Context, *run) error
	own   bool // it starts its servers itself
}

// all scenarios, in the order in which they run.
var all = []scenario{
	{"idle", "sockets that are logged in and say nothing", idle, false},
	{"pairs", "one-to-one messages, with 1 and with 16 under way", pairs, false},
	{"group", "one group, all online", group, false},
	{"rooms", "a chat room with several senders", rooms, false},
	{"rest", "sends over keep-alive HTTP connections", rest, false},
	{"history", "pages of a long conversation", history, false},
	{"login", "a storm of logins", login, false},
	{"sync", "a storm of reconnects, each followed by a sync", synchronise, false},
	{"latency", "end-to-end latency at a fixed rate", latency, false},
	{"neighbours", "what one app's attacks do to another app", neighbours, true},
}

// Names are the names of all scenarios.
func Names() []string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.name
	}
	return names
}

// About lists the scenarios for people.
func About() string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "  %-10s  %s\n", s.name, s.about)
	}
	return b.String()
}

// Run plays the scenarios and writes each result to out when it is there. What was
// measured until an error came is in the report. Faults are no error here: see
// report.Report.Faulty.
func Run(ctx context.Context, o Options, out io.Writer) (report.Report, error) {
	chosen, err := choose(o.Scenarios)
	if err != nil {
		return report.Report{}, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Dir == "" {
		o.Dir = os.TempDir()
	}
	if o.limit == 0 {
		o.limit = maxScenario
	}
	if o.patience == 0 {
		o.patience = maxPatience
	}
	made := report.Report{
		Origin: report.Origin{
			Time: o.Now(), Version: o.Version, Commit: o.Commit, Go: runtime.Version(), Machine: Machine(o.Dir),
		},
		Server: o.server(), Seed: o.Seed,
	}
	if err := report.Headings(out); err != nil {
		return made, err
	}
	for _, s := range chosen {
		results, err := play(ctx, s, o, out)
		made.Results = append(made.Results, results...)
		if err != nil {
			return made, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return made, nil
}

func choose(names []string) ([]scenario, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []scenario
	for _, name := range names {
		at := slices.IndexFunc(all, func(s scenario) bool { return s.name == name })
		if at < 0 {
			return nil, fmt.Errorf("no scenario %q; there are %s", name, strings.Join(Names(), ", "))
		}
		chosen = append(chosen, all[at])
	}
	return chosen, nil
}

// server is what is measured, and how, in words.
func (o Options) server() string {
	words := "a server of its own for each scenario, embedded store, durable; generator and server on the same cores"
	if o.Target != "" {
		words = "the server at " + o.Target
	}
	if o.NoClientIDs {
		words += "; messages without client_msg_id"
	}
	return words
}

// drawing draws what differs from one request to the next; owned by one goroutine.
type drawing = rand.Rand

// draw is a source of its own that depends on the seed alone.
func (r *run) draw() *drawing {
	return rand.New(rand.NewPCG(r.rng.Uint64(), r.rng.Uint64())) //nolint:gosec // repeatable on purpose
}

// run is a scenario at play.
type run struct {
	Options

	scenario scenario
	out      io.Writer
	host     *host
	rng      *rand.Rand // owned by the goroutine that plays
	tag      string     // begins the client ids of this run
	made     made
	results  []report.Result
}

// play plays one scenario on a server of its own, or on the target.
func play(ctx context.Context, s scenario, o Options, out io.Writer) (results []report.Result, err error) {
	if s.own {
		o.limit *= time.Duration(len(attacks)) // one after the other, each a scenario of its own
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.limit, fmt.Errorf("not done in %v", o.limit))
	defer cancel()
	r := &run{Options: o, scenario: s, out: out, rng: rand.New(rand.NewPCG(o.Seed, 0)), tag: "b"} //nolint:gosec // repeatable on purpose
	if o.Target != "" {
		r.tag += strconv.FormatInt(o.Now().UnixMilli(), 36) // whoever was there before
	}
	if s.own {
		err = s.run(ctx, r)
		return r.results, cmp.Or(context.Cause(ctx), err)
	}
	h, err := serve(ctx, o)
	if err != nil {
		return nil, err
	}
	defer h.end()
	r.host = h
	if err = s.run(ctx, r); ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		err = h.explain(err)
	}
	if o.Target != "" {
		r.cleanUp(context.WithoutCancel(ctx))
	}
	return r.results, err
}

// phase books and shows what one phase found.
func (r *run) phase(name, about string, values []report.Value, checked string, faults *ledger.Faults) error {
	result := report.Result{
		Scenario: r.scenario.name, Phase: name, About: about,
		Values: values, Checked: checked, Faults: faults.List(),
	}
	r.results = append(r.results, result)
	return result.Table(r.out)
}

// clients is how many the scenario has.
func (r *run) clients(usual int) int {
	if r.Clients > 0 {
		return r.Clients
	}
	return usual
}

// forTheUsual is a target, which is for the scenario's own number of clients.
func (r *run) forTheUsual(t *report.Target) *report.Target {
	if r.Clients > 0 {
		return nil
	}
	return t
}

// lasting is how long a phase takes.
func (r *run) lasting(usual time.Duration) time.Duration {
	if r.Phase > 0 {
		return r.Phase
	}
	return usual
}

// quota starts the work of a phase.
func (r *run) quota(usual time.Duration) *quota {
	if r.Count > 0 {
		return newQuota(r.Count, r.limit)
	}
	return newQuota(0, r.lasting(usual))
}

// Package bench has the scenarios of the load generator `skein-bench`: what each measures, and in
// which order. The server is another process, reached over real HTTP and WebSocket. A run in which
// a message is lost, doubled or swapped has failed, however fast it was.
package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/neighbours"
	"github.com/skein-im/skein/internal/bench/online"
	"github.com/skein-im/skein/internal/bench/proc"
	"github.com/skein-im/skein/internal/bench/report"
)

// scenario is one thing that can be measured.
type scenario struct {
	name  string
	about string
	run   func(context.Context, *load.Run) error

	own   bool // it starts its own servers, each with an embedded store
	asked bool // it runs only when it is named
	least int  // nodes
	long  bool // it prepares so much that it may take four times as long as others
	args  []string
}

// all scenarios, in the order in which they run.
var all = []scenario{
	{name: "idle", about: "sockets that are logged in and say nothing", run: idle},
	{name: "pairs", about: "one-to-one messages, with 1 and with 16 under way", run: pairs},
	{name: "group", about: "one group, all online", run: group},
	{name: "rooms", about: "a chat room with several senders", run: rooms},
	{name: "rest", about: "sends over keep-alive HTTP connections", run: rest},
	{name: "history", about: "pages of a long conversation", run: history},
	{name: "login", about: "a storm of logins", run: login},
	{name: "sync", about: "a storm of reconnects, each followed by a sync", run: synchronise},
	{name: "latency", about: "end-to-end latency at a fixed rate", run: latency},
	{name: "neighbours", about: "what one app's attacks do to another app", run: neighbours.Run, own: true},
	{name: "online", about: "many clients online in one group on several nodes, of which one is lost; only when named", run: online.Run, asked: true, least: 2, long: true, args: []string{"--max-members", "1000000"}},
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

// Run plays the scenarios and writes each result to out at once. After an error the report has what
// was measured before. Faults are no error: see report.Report.Faulty.
func Run(ctx context.Context, o load.Options, out io.Writer) (report.Report, error) {
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
	if o.Limit == 0 {
		o.Limit = load.MaxScenario
	}
	if o.Patience == 0 {
		o.Patience = driver.MaxPatience
	}
	made := report.Report{
		Origin: report.Origin{
			Time: o.Now(), Version: o.Version, Commit: o.Commit, Go: runtime.Version(), Machine: proc.Machine(o.Dir),
		},
		Server: serverOf(o), Seed: o.Seed,
	}
	if err := report.Headings(out); err != nil {
		return made, err
	}
	for _, s := range chosen {
		for _, nodes := range setupsOf(s, o) {
			o.Nodes = nodes
			results, err := play(ctx, s, o, out)
			made.Results = append(made.Results, results...)
			if err != nil {
				return made, fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return made, nil
}

// setupsOf are the numbers of nodes that the scenario runs on, one after the other, so that what else the machine does
// affects all of them alike.
func setupsOf(s scenario, o load.Options) []int {
	switch {
	case len(o.Target) > 1:
		return []int{len(o.Target)}
	case len(o.Setups) == 0 || len(o.Target) == 1:
		return []int{0}
	default:
		return slices.DeleteFunc(slices.Clone(o.Setups), func(n int) bool { return n < s.least || s.own && n > 0 })
	}
}

func choose(names []string) ([]scenario, error) {
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(all), func(s scenario) bool { return s.asked }), nil
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

// serverOf describes in words what is measured, and how.
func serverOf(o load.Options) string {
	words := "a server of its own for each scenario, embedded store, durable; generator and server on the same cores"
	if len(o.Setups) > 0 {
		words = "servers of their own for each scenario: embedded store, or nodes with a NATS server in each on one PostgreSQL, all durable; generator and server on the same cores"
	}
	if len(o.Target) > 0 {
		words = "the server at " + strings.Join(o.Target, ", ")
	}
	if o.NoClientIDs {
		words += "; messages without client_msg_id"
	}
	return words
}

// play plays one scenario on a server of its own, or on the target.
func play(ctx context.Context, s scenario, o load.Options, out io.Writer) (results []report.Result, err error) {
	if s.own {
		o.Limit *= time.Duration(len(neighbours.Names())) // one after the other, each a scenario of its own
	}
	if s.long {
		o.Limit *= 4
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.Limit, fmt.Errorf("not done in %v", o.Limit))
	defer cancel()
	tag := "b"
	if len(o.Target) > 0 {
		tag += strconv.FormatInt(o.Now().UnixMilli(), 36) // apart from clients of earlier runs
	}
	r := load.New(o, s.name, out, tag, 0)
	if s.own {
		err = s.run(ctx, r)
		return r.Results, cmp.Or(context.Cause(ctx), err)
	}
	o.Args = s.args
	h, err := driver.Open(ctx, o.Options)
	if err != nil {
		return nil, err
	}
	defer h.End()
	r.Host = h
	if err = s.run(ctx, r); ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		err = h.Explain(err)
	}
	if len(o.Target) > 0 {
		r.CleanUp(context.WithoutCancel(ctx))
	}
	return r.Results, err
}

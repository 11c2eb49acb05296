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
	"github.com/skein-im/skein/internal/bench/proc"
	"github.com/skein-im/skein/internal/bench/report"
)

// scenario is one thing that can be measured.
type scenario struct {
	name  string
	about string
	run   func(context.Context, *load.Run) error
	own   bool // it starts its own servers
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
	{"neighbours", "what one app's attacks do to another app", neighbours.Run, true},
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

// serverOf describes in words what is measured, and how.
func serverOf(o load.Options) string {
	words := "a server of its own for each scenario, embedded store, durable; generator and server on the same cores"
	if o.Target != "" {
		words = "the server at " + o.Target
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
	ctx, cancel := context.WithTimeoutCause(ctx, o.Limit, fmt.Errorf("not done in %v", o.Limit))
	defer cancel()
	tag := "b"
	if o.Target != "" {
		tag += strconv.FormatInt(o.Now().UnixMilli(), 36) // apart from clients of earlier runs
	}
	r := load.New(o, s.name, out, tag, 0)
	if s.own {
		err = s.run(ctx, r)
		return r.Results, cmp.Or(context.Cause(ctx), err)
	}
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
	if o.Target != "" {
		r.CleanUp(context.WithoutCancel(ctx))
	}
	return r.Results, err
}

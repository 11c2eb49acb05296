package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/skein-im/skein/internal/bench"
	"github.com/skein-im/skein/internal/bench/report"
)

// floorName in the place of scenarios runs what scenarios start beside the server.
const floorName = "floor"

type benchCmd struct {
	Scenarios []string `arg:"" optional:"" name:"scenario" help:"What to play, in the order in which it is named; all without."`

	Seconds      float64  `placeholder:"N" help:"How long each phase takes; without, what suits it."`
	Count        int      `placeholder:"N" help:"Units of work of each phase, in the place of --seconds."`
	Clients      int      `placeholder:"N" help:"Clients of each scenario; the targets are for its own number."`
	Attack       []string `placeholder:"NAME,…" help:"Attacks of the scenario neighbours; all without."`
	Seed         uint64   `default:"1" placeholder:"N" help:"Of what is drawn: texts and pages."`
	ClientMsgIDs bool     `name:"client-msg-ids" default:"true" negatable:"" help:"Give each message a client_msg_id, as clients do that retry."`
	JSON         string   `name:"json" placeholder:"FILE" help:"Write the results as JSON."`
	SVG          string   `name:"svg" placeholder:"FILE" help:"Write a plot of what has a target."`
	Markdown     string   `placeholder:"FILE" help:"Write the results between the markers of this document."`
	Profile      string   `placeholder:"FILE" help:"Keep CPU profiles of the server; scenario and phase go into the name."`
	Dir          string   `placeholder:"DIR" help:"Where the servers it starts keep their stores meanwhile; without, the temporary directory."`

	Target string `group:"target" placeholder:"URL" help:"Measure the server that runs there, such as http://127.0.0.1:8080, and take off again what was put on it."`
	Admin  string `group:"target" placeholder:"URL" help:"Its admin address, for --profile and for memory after a collection."`
	PID    int    `group:"target" name:"pid" placeholder:"N" help:"Its process, for CPU and memory."`
	App    string `group:"target" default:"666666" placeholder:"ID" help:"App to work in; it should have no rates."`
	Key    string `group:"target" default:"master" placeholder:"KEY" help:"App key."`
}

// Help is shown below the summary by --help.
func (benchCmd) Help() string {
	return "Without --target each scenario has a server of its own on an empty store, on loopback. " +
		"What was lost, doubled or swapped is told, and the exit code is 1. " +
		"The attacks of neighbours come from a process of their own at the lowest CPU priority (nice 19), so that the figures tell what the server does, and not how the generator shares its cores.\n\nScenarios:\n\n" + bench.About()
}

// Run plays the scenarios.
func (c *benchCmd) Run(ctx context.Context, out io.Writer) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	if slices.Equal(c.Scenarios, []string{floorName}) {
		return bench.Floor(ctx, out)
	}
	if slices.Equal(c.Scenarios, []string{bench.AttackerName}) {
		return bench.Attacker(ctx, os.Stdin, out)
	}
	signal.Ignore(syscall.SIGPIPE) // a reader that goes ends the run in order, with its server and its store
	program, err := os.Executable()
	if err != nil {
		return err
	}
	made, err := bench.Run(ctx, bench.Options{
		Scenarios: c.Scenarios, Phase: time.Duration(c.Seconds * float64(time.Second)), Count: c.Count, Clients: c.Clients, Attacks: c.Attack, Seed: c.Seed,
		NoClientIDs: !c.ClientMsgIDs, Profile: c.Profile, Program: program, Dir: c.Dir,
		Target: c.Target, Admin: c.Admin, PID: c.PID, App: c.App, Key: c.Key,
		Version: cmp.Or(version, "unknown"), Commit: revision(),
	}, out)
	if err != nil {
		return errors.Join(err, c.keep(made, false))
	}
	if err := c.keep(made, len(made.Faulty()) == 0); err != nil {
		return err
	}
	if faulty := made.Faulty(); len(faulty) > 0 {
		return fmt.Errorf("promises broken: %s", strings.Join(faulty, "; "))
	}
	return nil
}

// keep writes the files that were asked for. A document and its plot are for results
// that count: those of a whole run without a fault.
func (c *benchCmd) keep(made report.Report, good bool) error {
	var b bytes.Buffer
	if c.JSON != "" {
		if err := errors.Join(made.JSON(&b), os.WriteFile(c.JSON, b.Bytes(), 0o600)); err != nil {
			return fmt.Errorf("--json: %w", err)
		}
	}
	if c.SVG != "" && good {
		b.Reset()
		if err := errors.Join(made.SVG(&b), os.WriteFile(c.SVG, b.Bytes(), 0o644)); err != nil { //nolint:gosec // a picture of a document
			return fmt.Errorf("--svg: %w", err)
		}
	}
	if c.Markdown != "" && good {
		if err := rewrite(c.Markdown, made); err != nil {
			return fmt.Errorf("--markdown: %w", err)
		}
	}
	return nil
}

func rewrite(file string, made report.Report) error {
	document, err := os.ReadFile(file) //nolint:gosec // the operator's own
	if err != nil {
		return err
	}
	if document, err = made.Rewrite(document); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, document, 0o644) //nolint:gosec // a document
}

// revision is the commit that this binary was built from.
func revision() string {
	if commit != "" {
		return commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}

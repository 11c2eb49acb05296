package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/skein-im/skein/internal/bench"
	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/bench/neighbours"
	"github.com/skein-im/skein/internal/bench/online"
	"github.com/skein-im/skein/internal/bench/report"
)

// Set by the Makefile with -ldflags -X.
var (
	version string
	commit  string
)

type benchCmd struct {
	Scenarios []string `arg:"" optional:"" name:"scenario" help:"Scenarios to run, in this order; default: all."`

	Seconds      float64  `placeholder:"N" help:"Length of each phase in seconds; default: the scenario's own."`
	Count        int      `placeholder:"N" help:"Units of work in each phase, instead of --seconds."`
	Clients      int      `placeholder:"N" help:"Clients of each scenario; default: the scenario's own number, which the targets are for."`
	Attack       []string `placeholder:"NAME,…" help:"Attacks that the scenario neighbours runs; default: all."`
	Seed         uint64   `default:"1" placeholder:"N" help:"Seed of the random texts and pages; default 1."`
	ClientMsgIDs bool     `name:"client-msg-ids" default:"true" negatable:"" help:"Give each message a client_msg_id, as clients that retry do; default: on."`
	JSON         string   `name:"json" placeholder:"FILE" help:"Write the results to this file as JSON."`
	SVG          string   `name:"svg" placeholder:"FILE" help:"Write a plot of the figures that have a target."`
	Markdown     string   `placeholder:"FILE" help:"Write the results between the markers of this document."`
	Profile      string   `placeholder:"FILE" help:"Write CPU profiles of the server; the file name gets the scenario and the phase."`
	Dir          string   `placeholder:"DIR" help:"Directory for the stores of the servers that are started; default: the temporary directory."`
	Nodes        []int    `placeholder:"N,…" help:"Run each scenario on N nodes with one PostgreSQL, for each N; 0 is one server with the embedded store. Default: 0."`
	Database     string   `placeholder:"URL" help:"With --nodes N: use this PostgreSQL database, which must be empty, for one scenario. Default: start a PostgreSQL for each scenario."`
	DatabasePID  int      `name:"database-pid" placeholder:"N" help:"Process id of the first process of --database or of the target's PostgreSQL, for its CPU and memory."`
	Server       string   `placeholder:"FILE" help:"The skein binary to start; default: the one beside skein-bench, then the one in PATH."`

	Target []string `group:"target" placeholder:"URL,…" help:"Measure the server whose nodes are at these URLs, such as http://127.0.0.1:8080, and delete what was created on it."`
	Admin  string   `group:"target" placeholder:"URL" help:"The admin address of its first node, for --profile and for its memory after a collection."`
	PID    []int    `group:"target" name:"pid" placeholder:"N,…" help:"The process ids of its nodes, for their CPU and memory."`
	App    string   `group:"target" default:"666666" placeholder:"ID" help:"The app to use, which should have no rate limits; default 666666."`
	Key    string   `group:"target" default:"master" placeholder:"KEY" help:"The key of that app; default master."`
}

// Help is shown below the summary by --help.
func (benchCmd) Help() string {
	return "Without --target, each scenario starts a server of its own with an empty store, on loopback. " +
		"Every run checks that no message is lost, doubled or out of order; if one is, the exit code is 1. " +
		"The attacks of neighbours run in a process of their own at the lowest CPU priority (nice 19), so that they do not take the cores from the server.\n\nScenarios:\n\n" + bench.About()
}

// Run runs the scenarios.
func (c *benchCmd) Run(ctx context.Context, out io.Writer) error {
	if slices.Equal(c.Scenarios, []string{driver.FloorName}) {
		return driver.Floor(ctx, out)
	}
	if slices.Equal(c.Scenarios, []string{neighbours.AttackerName}) {
		return neighbours.Attacker(ctx, os.Stdin, out)
	}
	if slices.Equal(c.Scenarios, []string{online.OnlookerName}) {
		return online.Onlooker(ctx, os.Stdin, out)
	}
	signal.Ignore(syscall.SIGPIPE) // if the reader of our output ends, we still stop the server and remove its store
	self, err := os.Executable()
	if err != nil {
		return err
	}
	server := c.Server
	if server == "" && len(c.Target) == 0 {
		if server, err = findServer(self); err != nil {
			return err
		}
	}
	made, err := bench.Run(ctx, load.Options{
		Options: driver.Options{
			Program: server, Self: self, Dir: c.Dir, Database: c.Database, DatabasePID: c.DatabasePID, Target: c.Target, Admin: c.Admin, PID: c.PID, App: c.App, Key: c.Key,
		},
		Setups: c.Nodes, Scenarios: c.Scenarios, Phase: time.Duration(c.Seconds * float64(time.Second)), Count: c.Count, Clients: c.Clients, Attacks: c.Attack, Seed: c.Seed,
		NoClientIDs: !c.ClientMsgIDs, Profile: c.Profile,
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

// findServer is the server's binary: the one beside this program, then the one in PATH.
func findServer(self string) (string, error) {
	beside := filepath.Join(filepath.Dir(self), "skein")
	if _, err := os.Stat(beside); err == nil {
		return beside, nil
	}
	found, err := exec.LookPath("skein")
	if err != nil {
		return "", fmt.Errorf("no skein in %s nor in PATH: build it with `make build`, or name it with --server", filepath.Dir(self))
	}
	return found, nil
}

// keep writes the files that the flags name. A document and its plot are written only
// after a whole run without a fault.
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
	document, err := os.ReadFile(file) //nolint:gosec // named by the operator
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

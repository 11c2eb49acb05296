package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/store/copying"
)

type migrateCmd struct {
	config.Store

	To        string `placeholder:"URL|DIR" env:"SKEIN_TO" help:"Where the store moves: postgres://user:password@host/database, or a directory for an embedded store. It must be empty. Pass a password in SKEIN_TO."`
	ToUploads string `placeholder:"DIR|URL" help:"Directory of the uploads of --to, such as a folder that all nodes share, or s3://bucket as in --uploads. Default: uploads in the directory of --to; with postgres:// it must be given."`
	CutOver   bool   `help:"End the migration as soon as no server has the old store open. Without it the command follows until it is stopped."`
	Cancel    bool   `help:"Forget a migration: the old store is what it was, and may be served again."`
}

// Help is shown below the summary by --help.
func (migrateCmd) Help() string {
	return "Servers may run meanwhile. Stop it at any moment and start it again: it goes on. Ids, keys, tokens and sequence numbers stay what they are. " +
		"docs/operations.md says how to cut over."
}

// Validate checks the flags. Kong calls it after parsing.
func (c *migrateCmd) Validate() error {
	switch {
	case c.Cancel && c.To != "":
		return errors.New("--cancel: has no --to")
	case !c.Cancel && c.To == "":
		return errors.New("--to: missing")
	case c.target().OnPostgres() && c.ToUploads == "" && !c.Cancel:
		return errors.New("--to-uploads: missing; several nodes need a folder that all of them reach, or s3://bucket")
	}
	bucket, ok, err := config.BucketOf(c.ToUploads)
	switch {
	case err != nil:
		return fmt.Errorf("--to-uploads: %w", err)
	case ok && !c.target().OnPostgres():
		return fmt.Errorf("--to-uploads: %s: the embedded store keeps its uploads in its directory", bucket)
	}
	return c.Store.Validate()
}

func (c *migrateCmd) target() config.Store {
	to := config.Store{Database: c.To, Uploads: c.ToUploads}
	if !to.OnPostgres() {
		to.Database, to.Data = "sqlite", c.To
	}
	return to
}

// Run migrates.
func (c *migrateCmd) Run(ctx context.Context, out io.Writer) error {
	datadir.SetPrivateUmask()
	ctx, stop := untilSignal(ctx)
	defer stop()
	if c.Cancel {
		if err := datadir.CancelMigration(ctx, c.Store); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out, "%s serves again. What was copied is of no use: remove it.\n", datadir.Describe(c.Store))
		return err
	}
	p := migrateProgress{out: os.Stderr, now: time.Now, cutOver: c.CutOver}
	done, err := datadir.Migration{From: c.Store, To: c.target(), CutOver: c.CutOver, Tell: p.show}.Run(ctx)
	if err != nil && ctx.Err() != nil && p.last.Step == copying.Following {
		_, err := fmt.Fprintln(out, "Stopped in step with the store. Start it again with --cut-over to end the migration.")
		return err
	}
	if err != nil {
		return err
	}
	for _, table := range slices.Sorted(maps.Keys(done.Replaced)) {
		fmt.Fprintf(os.Stderr, "%s: %s with characters that PostgreSQL cannot hold (U+0000, invalid UTF-8); they are U+FFFD now\n", table, counted(done.Replaced[table], "text"))
	}
	_, err = fmt.Fprintf(out, "%s has moved to %s. Start the server there.\n", datadir.Describe(c.Store), datadir.Describe(c.target()))
	return err
}

// migrateProgress prints a line for each step and table, and how far it is every few seconds.
type migrateProgress struct {
	out     io.Writer
	now     func() time.Time
	cutOver bool
	last    copying.Progress
	told    time.Time
}

func (p *migrateProgress) show(g copying.Progress) {
	at := p.now()
	if g.Step == p.last.Step {
		soon := (g.Table == p.last.Table || g.Table == "") && at.Sub(p.told) < everyProgress
		if soon || g.Step == copying.Following && g.Notes == p.last.Notes {
			return
		}
	}
	if p.last.Step == copying.Comparing && g.Step != copying.Comparing {
		p.counts(p.last)
	}
	p.last, p.told = g, at
	switch g.Step {
	case copying.Following:
		then := "Stop the server to cut over"
		if !p.cutOver {
			then = "Start this again with --cut-over to cut over"
		}
		fmt.Fprintf(p.out, "in step, %s written meanwhile. %s.\n", counted(g.Notes, "row"), then)
	case copying.Sealed:
		fmt.Fprintln(p.out, "the old store takes no writes any more")
	case copying.Done:
	default:
		if g.Table == "" {
			return
		}
		fmt.Fprintf(p.out, "%s %s: %s\n", g.Step, g.Table, counted(g.Rows[g.Table], "row"))
	}
}

// counts prints what was compared.
func (p *migrateProgress) counts(g copying.Progress) {
	var all []string
	for _, t := range copying.Tables {
		if n := g.Rows[t.Name]; n > 0 {
			all = append(all, fmt.Sprintf("%d %s", n, strings.ReplaceAll(t.Name, "_", " ")))
		}
	}
	fmt.Fprintf(p.out, "equal: %s\n", strings.Join(all, ", "))
}

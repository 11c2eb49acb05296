package main

import (
	"context"
	"fmt"
	"io"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
)

type restoreCmd struct {
	config.Store

	From            string `required:"" placeholder:"DIR" help:"Directory that skein backup created, or with --without-manifest a copy of a --data."`
	Force           bool   `help:"Replace what is in --data. This cannot be undone."`
	Check           bool   `help:"Only check the backup; --data is not changed."`
	WithoutManifest bool   `help:"Accept a backup without manifest.json, as early versions wrote it; it cannot be checked."`
}

// Help is shown below the summary by --help.
func (restoreCmd) Help() string {
	return "No server may run on --data meanwhile. Clients that come back are told to drop what they know and to read everything anew."
}

// Run restores the backup.
func (c *restoreCmd) Run(ctx context.Context, out io.Writer) error {
	if err := c.NeedsSQLite("restore with pg_restore, or from a pg_basebackup, then put the uploads back and start the server, which notices that the history is another one; docs/operations.md has the commands"); err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	restore := datadir.Restore{From: c.From, To: c.Store, Force: c.Force, WithoutManifest: c.WithoutManifest}
	if err := restore.Check(); err != nil {
		return err
	}
	if c.Check {
		_, err := fmt.Fprintf(out, "%s is whole.\n", c.From)
		return err
	}
	size, err := restore.Run(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s holds what %s holds: %s.\n", c.Data, c.From, size)
	return err
}

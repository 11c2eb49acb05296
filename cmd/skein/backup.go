package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
)

type backupCmd struct {
	config.Store

	Out string `required:"" placeholder:"DIR" help:"Directory to create; it must not exist."`
}

// Help is shown below the summary by --help.
func (backupCmd) Help() string {
	return "A server may run meanwhile. What is in DIR is whole: it gets its name when everything is on the disk."
}

// Run makes the backup.
func (c *backupCmd) Run(ctx context.Context, out io.Writer) error {
	if err := c.NeedsSQLite("make backups with pg_basebackup and an archive of the log, or with pg_dump, then copy the uploads; docs/operations.md has the commands"); err != nil {
		return err
	}
	datadir.SetPrivateUmask()
	ctx, stop := untilSignal(ctx)
	defer stop()
	size, err := datadir.Backup(ctx, c.Data, c.Out, versionLine())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s holds what %s held: %s.\n", c.Out, c.Data, size)
	return err
}

// untilSignal returns a context that ends at the first signal to stop, so that the command
// can remove what it has begun.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
}

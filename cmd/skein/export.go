package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/store"
)

type exportCmd struct {
	config.Store

	App    string `required:"" placeholder:"ID" help:"The app_id."`
	Out    string `required:"" placeholder:"DIR" help:"Directory to create, or that of an unfinished export."`
	Client string `placeholder:"ID" help:"Export only what this client sent and what it can see in its conversations."`
}

// Help is shown below the summary by --help.
func (exportCmd) Help() string {
	return "A server may run meanwhile. The folder shows one moment, and docs/portable.md says what is in it. It holds no keys and no secrets."
}

// Run writes the export.
func (c *exportCmd) Run(ctx context.Context, out io.Writer) error {
	datadir.SetPrivateUmask()
	ctx, stop := untilSignal(ctx)
	defer stop()
	if !c.OnPostgres() {
		if err := datadir.MustHaveStore("--data", c.Data); err != nil {
			return err
		}
	}
	uploads, err := datadir.OpenUploads(c.Store, nil)
	if err != nil {
		return fmt.Errorf("--uploads: %w", err)
	}
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		p := newProgress(os.Stderr, time.Now, "messages")
		m, missing, err := portable.Export(ctx, portable.Exporting{
			Store: s, App: c.App, Client: c.Client, Dir: c.Out, Source: versionLine(), Progress: p.show,
			Open: func(name string) (io.ReadCloser, error) {
				content, _, err := uploads.Open(ctx, name)
				return content, err
			},
		})
		if err != nil {
			return fmt.Errorf("export %s: %w", c.App, c.unknown(err))
		}
		for _, name := range missing {
			fmt.Fprintf(os.Stderr, "file %s is not in the export: it was deleted meanwhile or is missing in the storage\n", name)
		}
		_, err = fmt.Fprintf(out, "%s holds %s as of %s: %s, %s, %s, %s of %s.\n",
			c.Out, c.App, skein.Millis(m.Time).Time().Format(time.RFC3339), counted(m.Lists[portable.Clients].Lines, "client"),
			counted(m.Lists[portable.Conversations].Lines, "conversation"), counted(m.Lists[portable.Messages].Lines, "message"),
			counted(m.Lists[portable.Files].Lines, "file"), counted(m.Bytes, "byte"))
		return err
	})
}

// unknown names the flag that an error of the store is about.
func (c *exportCmd) unknown(err error) error {
	switch {
	case errors.Is(err, skein.ErrUnknownApp):
		return fmt.Errorf("--app: there is no app %q", c.App)
	case errors.Is(err, skein.ErrUnknownClient):
		return fmt.Errorf("--client: there is no client %q", c.Client)
	}
	return err
}

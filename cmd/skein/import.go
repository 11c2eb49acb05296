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
	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/portable/importer"
	"github.com/skein-im/skein/internal/store"
)

type importCmd struct {
	config.Store

	App    string `required:"" placeholder:"ID" help:"The app_id. If the app does not exist it is created with the name and settings of the folder."`
	From   string `required:"" placeholder:"DIR" help:"A portable folder; see docs/portable.md."`
	DryRun bool   `help:"Import into a copy of the store and keep nothing."`
	Report string `placeholder:"FILE" help:"Write every refused line and the reason to this file, as JSON lines."`
}

// Help is shown below the summary by --help.
func (importCmd) Help() string {
	return "A server may run meanwhile: it takes the records then, over a socket in --data. Nobody is told of what comes; clients see it when they sync. " +
		"Cut short, it goes on when it is run again: what is there already is known and left as it is."
}

// Validate says which flag cannot work and why. Kong calls it when it parses.
func (c *importCmd) Validate() error {
	if !skein.ValidAppID(c.App) {
		return fmt.Errorf("--app: %q is not 1 to 64 of A-Z a-z 0-9 - _", c.App)
	}
	return c.Store.Validate()
}

// Run imports the folder.
func (c *importCmd) Run(ctx context.Context, out io.Writer) (err error) {
	ctx, stop := untilSignal(ctx)
	defer stop()
	from, err := portable.Open(c.From)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	report, err := c.openReport()
	if err != nil {
		return fmt.Errorf("--report: %w", err)
	}
	defer func() { err = errors.Join(err, report.close()) }()

	job := &importer.Import{From: from, App: c.App, Report: report.add}
	job.Progress = newProgress(os.Stderr, time.Now, "lines checked").show
	if err := job.Check(); err != nil {
		return fmt.Errorf("--from: nothing was imported: %w", err)
	}
	if err := datadir.Make(c.Data, nil); err != nil {
		return err
	}
	dest, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dest.close()) }()
	if err := c.prepareApp(ctx, dest, from, out, job); err != nil {
		return err
	}
	job.To, job.Batch = dest.target, dest.batch
	job.Progress = newProgress(os.Stderr, time.Now, "lines").show
	sum, err := job.Run(ctx)
	if err != nil {
		return fmt.Errorf("import into %s was cut short, run it again to go on: %w", c.App, err)
	}
	return errors.Join(report.sum(sum), c.print(out, sum))
}

// prepareApp makes the app where it is not there, and prints its key at once: it is
// not known later.
func (c *importCmd) prepareApp(ctx context.Context, p *destination, from *portable.Reader, out io.Writer, job *importer.Import) error {
	app, err := p.store.App(ctx, c.App)
	if errors.Is(err, skein.ErrUnknownApp) {
		var made operators.IssuedApp
		made, err = operators.New(operators.Options{Store: p.store}).CreateApp(ctx, fromHere(), c.App, from.App.Name, func(s *skein.Settings) { *s = from.App.Settings.Of() })
		app = made.App
		if errors.Is(err, skein.ErrConflict) {
			return fmt.Errorf("--app: %q was deleted a moment ago; a server removes what was stored for it first", c.App)
		}
		if err == nil && !c.DryRun {
			err = printSecrets(out, appSecrets{AppID: app.ID, AppKey: made.Key, TokenSecret: string(app.TokenSecret)}, datadir.Describe(c.Store), false)
		}
	}
	if err != nil {
		return fmt.Errorf("app %s: %w", c.App, err)
	}
	job.Relaxed = app.Settings.RelaxedClientIDs
	return nil
}

// print says what came of the lines.
func (c *importCmd) print(out io.Writer, sum importer.Summary) error {
	rows := [][]string{{"LIST", "LINES", "TAKEN", "KNOWN", "REFUSED"}}
	refused := int64(0)
	for _, name := range []string{portable.Files, portable.Clients, portable.Conversations, portable.Members, portable.Messages, portable.Changes} {
		n := sum.Lists[name]
		rows = append(rows, []string{name, fmt.Sprint(n.Lines), fmt.Sprint(n.Taken), fmt.Sprint(n.Known), fmt.Sprint(n.Refused)})
		refused += n.Refused
	}
	head := fmt.Sprintf("%s is in the app %s.\n", c.From, c.App)
	if c.DryRun {
		head = "This is what an import would do. Nothing was kept.\n"
	}
	if err := printTable(out, head, rows); err != nil {
		return err
	}
	if refused > 0 {
		return fmt.Errorf("%d lines were refused", refused)
	}
	return nil
}

// destination is the store that an import goes to, and how.
type destination struct {
	store  store.Store // for the app
	target importer.Target
	batch  int // records at once
	close  func() error
}

// How many records go in one transaction: beside a server, whose other writers wait
// for it, and where nobody waits.
const (
	batchBeside = 256
	batchAlone  = 1024
)

// open finds where to import to: a copy, the server that runs, or the store.
func (c *importCmd) open(ctx context.Context) (*destination, error) {
	if c.DryRun {
		return c.openCopy(ctx)
	}
	unlock, err := datadir.Lock(c.Data, "import")
	if held, ok := errors.AsType[*datadir.HeldError](err); ok && held.Server {
		return c.openBeside(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := datadir.Settle(c.Data); err != nil {
		return nil, errors.Join(err, unlock())
	}
	dest, err := openAlone(ctx, c.Store)
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	closeStore := dest.close
	dest.close = func() error { return errors.Join(closeStore(), unlock()) }
	return dest, nil
}

// openAlone opens a store that nobody serves.
func openAlone(ctx context.Context, cfg config.Store) (*destination, error) {
	s, err := datadir.Open(ctx, cfg, datadir.Options{})
	if err != nil {
		return nil, err
	}
	storage, err := datadir.OpenUploads(cfg, nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("--uploads: %w", err), s.Close())
	}
	uploads, err := files.Open(files.Options{Dir: datadir.UploadsOf(cfg), MinFree: -1, Shared: datadir.SharedUploads(cfg), Storage: storage})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &destination{store: s, target: importer.StoreTarget{Store: s, SaveFile: uploads.SaveAs}, batch: batchAlone, close: s.Close}, nil
}

// openBeside has the running server take the records: it alone knows what it keeps in
// memory.
func (c *importCmd) openBeside(ctx context.Context) (*destination, error) {
	client, err := datadir.Dial(ctx, c.Data)
	if err != nil {
		return nil, err
	}
	s, err := datadir.Open(ctx, c.Store, datadir.Options{Beside: true})
	if err != nil {
		return nil, err
	}
	return &destination{store: s, target: importer.Remote{HTTP: client, Base: "http://skein"}, batch: batchBeside, close: s.Close}, nil
}

// openCopy imports into a copy of the store, without the files.
func (c *importCmd) openCopy(ctx context.Context) (_ *destination, err error) {
	if err := c.NeedsSQLite("there is no --dry-run: import into a database of its own first"); err != nil {
		return nil, err
	}
	dir, remove, err := datadir.MakeCopy(ctx, c.Data)
	if err != nil {
		return nil, err
	}
	cfg := c.Store
	cfg.Data = dir
	dest, err := openAlone(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	closeStore := dest.close
	dest.close = func() error { return errors.Join(closeStore(), remove()) }
	return dest, nil
}

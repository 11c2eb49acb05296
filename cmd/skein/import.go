package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/portable/importer"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
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
	if err := makeData(c.Data, nil); err != nil {
		return err
	}
	place, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.close()) }()
	if err := c.prepareApp(ctx, place, from, out, job); err != nil {
		return err
	}
	job.To, job.Batch = place.target, place.batch
	job.Progress = newProgress(os.Stderr, time.Now, "lines").show
	sum, err := job.Run(ctx)
	if err != nil {
		return fmt.Errorf("import into %s was cut short, run it again to go on: %w", c.App, err)
	}
	return errors.Join(report.sum(sum), c.print(out, sum))
}

// prepareApp makes the app where it is not there, and prints its key at once: it is
// not known later.
func (c *importCmd) prepareApp(ctx context.Context, p *importPlace, from *portable.Reader, out io.Writer, job *importer.Import) error {
	app, err := p.store.App(ctx, c.App)
	if errors.Is(err, skein.ErrUnknownApp) {
		key, hash := access.NewKey()
		now := skein.MillisOf(time.Now())
		app = skein.App{
			ID: c.App, Name: cmp.Or(from.App.Name, c.App), TokenSecret: access.NewTokenSecret(), Created: now,
			Keys: []skein.AppKey{{Name: firstKey, Hash: hash, Created: now}}, Settings: from.App.Settings.Of(),
		}
		err = p.store.CreateApp(ctx, app)
		if errors.Is(err, skein.ErrConflict) {
			return fmt.Errorf("--app: %q was deleted a moment ago; a server removes what was stored for it first", c.App)
		}
		if err == nil && !c.DryRun {
			err = printSecrets(out, appSecrets{AppID: app.ID, AppKey: key, TokenSecret: string(app.TokenSecret)}, placeOf(c.Store), false)
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

// importPlace is where an import goes.
type importPlace struct {
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
func (c *importCmd) open(ctx context.Context) (*importPlace, error) {
	if c.DryRun {
		return c.openCopy(ctx)
	}
	unlock, err := lockData(c.Data, "import")
	if held, ok := errors.AsType[*heldError](err); ok && held.server {
		return c.openBeside(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := settle(c.Data); err != nil {
		return nil, errors.Join(err, unlock())
	}
	place, err := openAlone(ctx, c.Store)
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	closeStore := place.close
	place.close = func() error { return errors.Join(closeStore(), unlock()) }
	return place, nil
}

// openAlone opens a store that nobody serves.
func openAlone(ctx context.Context, cfg config.Store) (*importPlace, error) {
	s, err := openStore(ctx, cfg, storeOptions{})
	if err != nil {
		return nil, err
	}
	uploads, err := files.Open(files.Options{Dir: filepath.Join(cfg.Data, uploadsDir), MinFree: -1})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &importPlace{store: s, target: importer.StoreTarget{Store: s, SaveFile: uploads.SaveAs}, batch: batchAlone, close: s.Close}, nil
}

// openBeside has the running server take the records: it alone knows what it keeps in
// memory.
func (c *importCmd) openBeside(ctx context.Context) (*importPlace, error) {
	client, err := dialControl(ctx, c.Data)
	if err != nil {
		return nil, err
	}
	s, err := openStore(ctx, c.Store, storeOptions{Beside: true})
	if err != nil {
		return nil, err
	}
	return &importPlace{store: s, target: importer.Remote{HTTP: client, Base: "http://skein"}, batch: batchBeside, close: s.Close}, nil
}

// openCopy imports into a copy of the store, without the files.
func (c *importCmd) openCopy(ctx context.Context) (_ *importPlace, err error) {
	dir, err := os.MkdirTemp(c.Data, dryRun)
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	remove := func() error { return os.RemoveAll(dir) }
	if _, err := os.Stat(filepath.Join(c.Data, storeFile)); err == nil {
		if err := schema.Backup(ctx, filepath.Join(c.Data, storeFile), filepath.Join(dir, storeFile)); err != nil {
			return nil, errors.Join(err, remove())
		}
	}
	cfg := c.Store
	cfg.Data = dir
	place, err := openAlone(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	closeStore := place.close
	place.close = func() error { return errors.Join(closeStore(), remove()) }
	return place, nil
}

// dryRun is the pattern of the directories where imports are tried.
const dryRun = ".dry-run-*"

// importReport is the file of --report; without one it prints the first refusals.
type importReport struct {
	file   *os.File
	buf    *bufio.Writer
	shown  int
	silent int
}

// maxShown is how many refusals are printed where there is no file for them.
const maxShown = 20

func (c *importCmd) openReport() (*importReport, error) {
	if c.Report == "" {
		return &importReport{}, nil
	}
	f, err := os.OpenFile(c.Report, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, privateFile)
	if err != nil {
		return nil, err
	}
	return &importReport{file: f, buf: bufio.NewWriter(f)}, nil
}

func (r *importReport) add(e importer.Entry) error {
	if r.file != nil {
		return r.write(e)
	}
	if r.shown++; r.shown > maxShown {
		r.silent++
		return nil
	}
	fmt.Fprintf(os.Stderr, "%s: line %d: refused: %s\n", e.List, e.Line, e.Reason)
	return nil
}

func (r *importReport) sum(s importer.Summary) error {
	if r.file == nil {
		return nil
	}
	return r.write(s)
}

func (r *importReport) write(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = r.buf.Write(append(line, '\n'))
	return err
}

func (r *importReport) close() error {
	if r.silent > 0 {
		fmt.Fprintf(os.Stderr, "and %d more; --report FILE has them all\n", r.silent)
	}
	if r.file == nil {
		return nil
	}
	return errors.Join(r.buf.Flush(), r.file.Sync(), r.file.Close())
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
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
func (c *restoreCmd) Run(ctx context.Context, out io.Writer) (err error) {
	ctx, stop := untilSignal(ctx)
	defer stop()
	if err := mustHaveStore("--from", c.From); err != nil {
		return err
	}
	check := checkBackup
	if c.WithoutManifest {
		check = checkCopy
	}
	if err := check(c.From); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if c.Check {
		_, err = fmt.Fprintf(out, "%s is whole.\n", c.From)
		return err
	}
	if err := makeData(c.Data, nil); err != nil {
		return err
	}
	unlock, err := lockData(c.Data, "restore")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := settle(c.Data); err != nil {
		return err
	}
	if err := c.clear(); err != nil {
		return err
	}
	made, err := os.MkdirTemp(c.Data, restoring)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	defer func() { _ = os.RemoveAll(made) }() // after a success it is empty; after a failure it is useless
	size, err := c.prepare(ctx, made)
	if err != nil {
		return fmt.Errorf("restore %s: %w", c.From, err)
	}
	// From here on the restore will be completed: if it is interrupted, settle does it at
	// the next start.
	if err := errors.Join(os.Rename(made, filepath.Join(c.Data, restored)), syncDir(c.Data)); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	if err := settle(c.Data); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s holds what %s holds: %s.\n", c.Data, c.From, size)
	return err
}

// Directories in --data: restoring is the pattern of those in which a restore prepares its
// data; restored is the name of one that is complete.
const (
	restoring = ".restore-*"
	restored  = ".restored"
)

// clear refuses a directory that is not empty.
func (c *restoreCmd) clear() error {
	entries, err := os.ReadDir(c.Data)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	for _, e := range entries {
		if e.Name() != lockFile && e.Name() != controlFile && !c.Force {
			return fmt.Errorf("--data: %s is not empty; --force replaces what is there", c.Data)
		}
	}
	return nil
}

// settle completes a restore that was interrupted after its data was complete, and removes
// what other interrupted restores have left. The caller holds the lock of --data.
func settle(data string) error {
	if _, err := os.Stat(filepath.Join(data, restored, storeFile)); err == nil {
		if err := replaceData(data, filepath.Join(data, restored)); err != nil {
			return fmt.Errorf("--data: end the restore that was begun: %w", err)
		}
	}
	left := []string{filepath.Join(data, restored)}
	for _, pattern := range []string{restoring, dryRun, storeFile + ".new-*"} {
		some, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil {
			return fmt.Errorf("--data: %w", err)
		}
		left = append(left, some...)
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("--data: %w", err)
		}
	}
	return nil
}

// prepare makes a copy of the backup that a server can start with. It checks the store, and
// gives it a new epoch so that clients notice that the history is another one.
func (c *restoreCmd) prepare(ctx context.Context, made string) (copied, error) {
	// The store of a backup is one file. Its directory may be read-only.
	copyStore := func(_ context.Context, path, out string) error {
		_, err := copyFile(path, out)
		return err
	}
	if c.WithoutManifest { // the copy may have a write-ahead log
		copyStore = schema.Backup
	}
	size, err := copyData(ctx, c.From, made, copyStore)
	if err != nil {
		return size, err
	}
	in := c.Store
	in.Data = made
	if err := withStore(ctx, in, func(s store.Store) error { return s.NewEpoch(ctx) }); err != nil {
		return size, err
	}
	if _, err := os.Stat(filepath.Join(made, storeFile+"-wal")); !errors.Is(err, fs.ErrNotExist) {
		return size, errors.New("the store did not close properly: a part of it is still in its write-ahead log")
	}
	return size, nil
}

// replaceData replaces the files in data by those in made. Every step can be repeated. The
// store comes last and is renamed over the old one, so that there is a store at any time.
func replaceData(data, made string) error {
	for _, suffix := range []string{"-wal", "-shm", "-mark"} {
		if err := os.Remove(filepath.Join(data, storeFile+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	from, uploads := filepath.Join(made, uploadsDir), filepath.Join(data, uploadsDir)
	if _, err := os.Stat(from); err == nil {
		if err := errors.Join(os.RemoveAll(uploads), os.Rename(from, uploads)); err != nil {
			return err
		}
	}
	if err := syncDir(data); err != nil {
		return err
	}
	return errors.Join(os.Rename(filepath.Join(made, storeFile), filepath.Join(data, storeFile)), syncDir(data))
}

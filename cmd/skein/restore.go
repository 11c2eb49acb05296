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
	"github.com/skein-im/skein/internal/store/sqlite"
)

type restoreCmd struct {
	config.Store

	From  string `required:"" placeholder:"DIR" help:"What skein backup has made, or a copy of a --data."`
	Force bool   `help:"Replace what is in --data, for good."`
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
	if err := makeData(c.Data, nil); err != nil {
		return err
	}
	unlock, err := lockData(c.Data, "restore")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := c.clear(); err != nil {
		return err
	}
	made, err := os.MkdirTemp(c.Data, restoring)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	defer func() { _ = os.RemoveAll(made) }() // empty by then, or of no use
	size, err := c.prepare(ctx, made)
	if err != nil {
		return fmt.Errorf("restore %s: %w", c.From, err)
	}
	if err := replaceData(c.Data, made); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s holds what %s holds: %s.\n", c.Data, c.From, size)
	return err
}

// restoring is the pattern of the directories in --data where a backup becomes what
// it is to be there.
const restoring = ".restore-*"

// clear refuses a directory in which there is anything, and removes from it what
// was left by a restore that was cut short.
func (c *restoreCmd) clear() error {
	entries, err := os.ReadDir(c.Data)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	for _, e := range entries {
		if left, _ := filepath.Match(restoring, e.Name()); left { // the pattern is a constant
			if err := os.RemoveAll(filepath.Join(c.Data, e.Name())); err != nil {
				return fmt.Errorf("--data: %w", err)
			}
			continue
		}
		if e.Name() != lockFile && !c.Force {
			return fmt.Errorf("--data: %s is not empty; --force replaces what is there", c.Data)
		}
	}
	return nil
}

// prepare makes of the backup what a server can start on: sound, and another
// history than the one that clients know.
func (c *restoreCmd) prepare(ctx context.Context, made string) (copied, error) {
	if err := sqlite.Check(ctx, filepath.Join(c.From, storeFile)); err != nil {
		return copied{}, err
	}
	size, err := copyData(ctx, c.From, made)
	if err != nil {
		return size, err
	}
	in := c.Store
	in.Data = made
	if err := withStore(ctx, in, func(s store.Store) error { return s.NewEpoch(ctx) }); err != nil {
		return size, err
	}
	if _, err := os.Stat(filepath.Join(made, storeFile+"-wal")); !errors.Is(err, fs.ErrNotExist) {
		return size, errors.New("the store did not close in order: part of it is still in its log")
	}
	return size, nil
}

// replaceData puts what is in made in the place of what is in data. The store goes
// first and comes last: cut short, it leaves none, and never one with the log or
// the uploads of another.
func replaceData(data, made string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-mark"} {
		if err := os.Remove(filepath.Join(data, storeFile+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	uploads, db := filepath.Join(data, uploadsDir), filepath.Join(data, storeFile)
	if err := errors.Join(syncDir(data), os.RemoveAll(uploads)); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(made, uploadsDir), uploads); err != nil {
		return err
	}
	if err := syncDir(data); err != nil {
		return err
	}
	return errors.Join(os.Rename(filepath.Join(made, storeFile), db), syncDir(data))
}

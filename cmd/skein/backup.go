package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
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
	setPrivateUmask()
	ctx, stop := untilSignal(ctx)
	defer stop()
	if err := mustHaveStore("--data", c.Data); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(c.Data, restored)); err == nil {
		return fmt.Errorf("--data: a restore of %s was cut short: skein serve ends it", c.Data)
	}
	if _, err := os.Lstat(c.Out); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--out: %s is there already", c.Out)
	}
	parent, name := filepath.Split(filepath.Clean(c.Out))
	parent = filepath.Clean(parent) // for a name without a directory: the working directory
	partial, err := os.MkdirTemp(parent, name+".partial-*")
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer func() { _ = os.RemoveAll(partial) }() // after a success it has been renamed; after a failure it is useless
	size, err := copyData(ctx, c.Data, partial, schema.Backup)
	if err == nil {
		err = writeManifest(partial)
	}
	if err != nil {
		return fmt.Errorf("back up %s: %w", c.Data, err)
	}
	if err := errors.Join(os.Rename(partial, c.Out), syncDir(parent)); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s holds what %s held: %s.\n", c.Out, c.Data, size)
	return err
}

// untilSignal returns a context that ends at the first signal to stop, so that the command
// can remove what it has begun.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
}

// mustHaveStore refuses a directory without a store: the operator may have mistyped it.
func mustHaveStore(flag, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, storeFile)); err != nil {
		return fmt.Errorf("%s: there is no store in %s", flag, dir)
	}
	return nil
}

// copied is how much copyData has copied.
type copied struct {
	store, uploads int64 // bytes
	files          int   // uploads
}

func (c copied) String() string {
	return fmt.Sprintf("a store of %d bytes, %d uploads of %d bytes", c.store, c.files, c.uploads)
}

// copyData copies the store, then the uploads, to the empty directory to, and syncs both. In
// this order the copy has every upload that its messages link to, except those whose
// message was recalled meanwhile.
func copyData(ctx context.Context, from, to string, copyStore func(ctx context.Context, path, out string) error) (size copied, err error) {
	db := filepath.Join(to, storeFile)
	if err := copyStore(ctx, filepath.Join(from, storeFile), db); err != nil {
		return size, err
	}
	info, err := os.Stat(db)
	if err != nil {
		return size, err
	}
	size.store = info.Size()
	if err := os.Chmod(db, 0o600); err != nil {
		return size, err
	}
	into := filepath.Join(to, uploadsDir)
	if err := os.Mkdir(into, 0o700); err != nil {
		return size, err
	}
	if err := copyUploads(ctx, filepath.Join(from, uploadsDir), into, &size); err != nil {
		return size, err
	}
	return size, errors.Join(syncDir(into), syncDir(to))
}

// copyUploads copies the finished uploads. They never change, but may be deleted meanwhile.
func copyUploads(ctx context.Context, from, to string, size *copied) error {
	entries, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no server has used the directory yet
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		n, err := copyFile(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		size.files++
		size.uploads += n
	}
	return nil
}

// copyFile copies a file and its modification time, which is served as Last-Modified.
func copyFile(from, to string) (n int64, err error) {
	src, err := os.Open(from) //nolint:gosec // a path that the operator gave
	if err != nil {
		return 0, err
	}
	defer func() { _ = src.Close() }() // opened only for reading
	info, err := src.Stat()
	if err != nil {
		return 0, err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // a path that the operator gave
	if err != nil {
		return 0, err
	}
	n, err = io.Copy(dst, src)
	return n, errors.Join(err, dst.Sync(), dst.Close(), os.Chtimes(to, info.ModTime(), info.ModTime()))
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // a path that the operator gave
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

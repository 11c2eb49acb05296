package datadir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// Backup copies the store and the uploads of data to the new directory out, which gets its name
// when everything in it is on the disk. A server may run meanwhile. version is that of the program.
func Backup(ctx context.Context, data, out, version string) (Copied, error) {
	if err := MustHaveStore("--data", data); err != nil {
		return Copied{}, err
	}
	if _, err := os.Stat(filepath.Join(data, restored)); err == nil {
		return Copied{}, fmt.Errorf("--data: a restore of %s was cut short: skein serve ends it", data)
	}
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		return Copied{}, fmt.Errorf("--out: %s is there already", out)
	}
	parent, name := filepath.Split(filepath.Clean(out))
	parent = filepath.Clean(parent) // for a name without a directory: the working directory
	partial, err := os.MkdirTemp(parent, name+".partial-*")
	if err != nil {
		return Copied{}, fmt.Errorf("--out: %w", err)
	}
	defer func() { _ = os.RemoveAll(partial) }() // after a success it has been renamed; after a failure it is useless
	size, err := copyData(ctx, data, partial, schema.Backup)
	if err == nil {
		err = writeManifest(partial, version)
	}
	if err != nil {
		return size, fmt.Errorf("back up %s: %w", data, err)
	}
	if err := errors.Join(os.Rename(partial, out), syncDir(parent)); err != nil {
		return size, fmt.Errorf("--out: %w", err)
	}
	return size, nil
}

// MakeCopy copies the store of data, if there is one, to a new directory in data. remove removes
// the directory.
func MakeCopy(ctx context.Context, data string) (dir string, remove func() error, err error) {
	dir, err = os.MkdirTemp(data, dryRun)
	if err != nil {
		return "", nil, fmt.Errorf("--data: %w", err)
	}
	remove = func() error { return os.RemoveAll(dir) }
	if _, err := os.Stat(StoreFile(data)); err == nil {
		if err := schema.Backup(ctx, StoreFile(data), StoreFile(dir)); err != nil {
			return "", nil, errors.Join(err, remove())
		}
	}
	return dir, remove, nil
}

// Copied is how much a backup or a restore has copied.
type Copied struct {
	store, uploads int64 // bytes
	files          int   // uploads
}

func (c Copied) String() string {
	return fmt.Sprintf("a store of %d bytes, %d uploads of %d bytes", c.store, c.files, c.uploads)
}

// copyData copies the store, then the uploads, to the empty directory to, and syncs both. In
// this order the copy has every upload that its messages link to, except those whose
// message was recalled meanwhile.
func copyData(ctx context.Context, from, to string, copyStore func(ctx context.Context, path, out string) error) (size Copied, err error) {
	db := StoreFile(to)
	if err := copyStore(ctx, StoreFile(from), db); err != nil {
		return size, err
	}
	info, err := os.Stat(db)
	if err != nil {
		return size, err
	}
	size.store = info.Size()
	if err := os.Chmod(db, PrivateFile); err != nil {
		return size, err
	}
	into := Uploads(to)
	if err := os.Mkdir(into, PrivateDir); err != nil {
		return size, err
	}
	if err := copyUploads(ctx, Uploads(from), into, &size); err != nil {
		return size, err
	}
	return size, errors.Join(syncDir(into), syncDir(to))
}

// copyUploads copies the finished uploads. They never change, but may be deleted meanwhile.
func copyUploads(ctx context.Context, from, to string, size *Copied) error {
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
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, PrivateFile) //nolint:gosec // a path that the operator gave
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

package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/skein-im/skein"
)

// Storage keeps complete files by name. A file never changes. Many processes may use one
// storage, and its methods are safe for concurrent use. Errors: fs.ErrNotExist for an
// unknown name, skein.ErrUnavailable if the storage fails, and those of ctx.
// Package filestest has the contract.
type Storage interface {
	// Keep stores the complete file at path, which is on the disk of this machine, under
	// name. When it returns nil, the file is durable; the caller removes path if it is still
	// there. After an error no file has the name, unless an answer of the storage was lost.
	Keep(ctx context.Context, path, name string) error
	// Open opens a file for reading. Reads end with ctx.
	Open(ctx context.Context, name string) (io.ReadSeekCloser, Info, error)
	// Remove removes a file and returns its size in bytes; zero: there is none. A download
	// that has begun may fail.
	Remove(ctx context.Context, name string) (size int64, err error)
	// Discard removes files that may be there, with names of any form.
	Discard(ctx context.Context, names []string) error
	// Walk passes all files to look, some at a time. It ends with ctx or with the first
	// error of look.
	Walk(ctx context.Context, look func([]skein.StoredFile) error) error
	// Check asks the storage whether it can be used now. A folder is never asked: a lost
	// network disk would block the caller.
	Check(ctx context.Context) error
}

// Info is what a storage knows of a file.
type Info struct {
	Size int64 // bytes
	At   time.Time
}

// ValidName reports whether Save makes such names. Such a name has no path separator.
func ValidName(name string) bool { return namePattern.MatchString(name) }

// Folder is a Storage in a directory. Keep renames: the file must be in the same directory.
type Folder string

// path is the path of a file; name must match namePattern.
func (f Folder) path(name string) string { return filepath.Join(string(f), name) }

// Keep implements Storage. The file at path must be synced.
func (f Folder) Keep(_ context.Context, path, name string) error {
	if err := os.Rename(path, f.path(name)); err != nil { //nolint:gosec // names of this package, without a separator
		return fault("name an upload", err)
	}
	if err := f.sync(); err != nil {
		return errors.Join(err, os.Remove(f.path(name)))
	}
	return nil
}

// sync makes the names in the folder durable. A rename alone does not.
func (f Folder) sync() error {
	d, err := os.Open(string(f))
	if err != nil {
		return fault("open the folder of uploads", err)
	}
	defer func() { _ = d.Close() }() // opened only for reading
	if err := d.Sync(); err != nil {
		return fault("sync the folder of uploads", err)
	}
	return nil
}

// Open implements Storage.
func (f Folder) Open(_ context.Context, name string) (io.ReadSeekCloser, Info, error) {
	file, err := os.OpenInRoot(string(f), name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Info{}, fs.ErrNotExist
	}
	if err != nil {
		return nil, Info{}, fault("read an upload", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, Info{}, errors.Join(fault("read an upload", err), file.Close())
	}
	return file, Info{Size: info.Size(), At: info.ModTime()}, nil
}

// Remove implements Storage.
func (f Folder) Remove(_ context.Context, name string) (size int64, err error) {
	info, err := os.Lstat(f.path(name))
	if err == nil {
		size, err = info.Size(), os.Remove(f.path(name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return 0, f.sync()
	}
	if err != nil {
		return 0, fault("remove an upload", err)
	}
	return size, f.sync()
}

// Discard implements Storage.
func (f Folder) Discard(_ context.Context, names []string) error {
	for _, name := range names {
		if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault("remove a thumbnail", err)
		}
	}
	return nil
}

// walkedAtOnce is how many entries of the folder Walk reads at a time.
const walkedAtOnce = 500

// Walk implements Storage.
func (f Folder) Walk(ctx context.Context, look func([]skein.StoredFile) error) error {
	dir, err := os.Open(string(f))
	if err != nil {
		return fault("list uploads", err)
	}
	defer func() { _ = dir.Close() }() // opened only for reading
	for ctx.Err() == nil {
		entries, err := dir.ReadDir(walkedAtOnce)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fault("list uploads", err)
		}
		if err := look(storedFiles(entries)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// storedFiles returns the entries that are finished uploads. It leaves out files that were
// deleted meanwhile.
func storedFiles(entries []fs.DirEntry) (stored []skein.StoredFile) {
	for _, e := range entries {
		if !ValidName(e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			stored = append(stored, skein.StoredFile{Name: e.Name(), Size: info.Size(), At: skein.MillisOf(info.ModTime())})
		}
	}
	return stored
}

// Check implements Storage.
func (f Folder) Check(context.Context) error { return nil }

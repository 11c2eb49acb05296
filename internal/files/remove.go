package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/skein-im/skein"
)

// Remove deletes a file and returns its size in bytes. It is no error if the file does not
// exist. A download that has begun runs to its end. Errors: skein.ErrMalformed if Save
// makes no such names, skein.ErrUnavailable if the disk fails.
func (s *Store) Remove(name string) (size int64, err error) {
	if !namePattern.MatchString(name) {
		return 0, skein.Malformed("name", "not the name of an upload")
	}
	info, err := os.Lstat(s.path(name))
	if err == nil {
		size, err = info.Size(), os.Remove(s.path(name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return 0, syncDir(s.dir)
	}
	if err != nil {
		return 0, diskFault("remove an upload", err)
	}
	s.removed.Inc()
	s.removedBytes.Add(float64(size))
	return size, syncDir(s.dir)
}

// walkedAtOnce is how many entries of the folder Walk reads at a time.
const walkedAtOnce = 500

// Walk passes all finished files to look, some at a time. It ends with ctx or with the
// first error of look. Errors: skein.ErrUnavailable if the disk fails.
func (s *Store) Walk(ctx context.Context, look func([]skein.StoredFile) error) error {
	dir, err := os.Open(s.dir)
	if err != nil {
		return diskFault("list uploads", err)
	}
	defer func() { _ = dir.Close() }() // opened only for reading
	for ctx.Err() == nil {
		entries, err := dir.ReadDir(walkedAtOnce)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return diskFault("list uploads", err)
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
		if !namePattern.MatchString(e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			stored = append(stored, skein.StoredFile{Name: e.Name(), Size: info.Size(), At: skein.MillisOf(info.ModTime())})
		}
	}
	return stored
}

package datadir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/clock"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/files"
)

// mirrorMark is a file which says that a migration put the files beside it there.
const mirrorMark = ".migrating"

// relist is how often the files of a bucket are listed while a migration follows. A folder tells
// by its time when it changed.
const relist = time.Minute

// mirror copies uploads from one storage to another one.
type mirror struct {
	from, to files.Storage
	folder   string          // of from; empty: a bucket
	staging  string          // where a file waits until it is complete
	have     map[string]bool // the files of to
	seen     time.Time       // when from was listed, or the time of its folder then
}

// mirrorOf makes a function that copies the uploads that the target does not have; see
// copying.Options. It is nil if there is nothing to copy.
func mirrorOf(ctx context.Context, from, to config.Store) (func(ctx context.Context, last bool) error, error) {
	if sameUploads(from, to) {
		return nil, nil //nolint:nilnil // there is nothing to copy
	}
	m := &mirror{have: map[string]bool{}}
	if _, ok := Bucket(from); !ok {
		m.folder = UploadsOf(from)
		if _, err := os.Stat(m.folder); errors.Is(err, fs.ErrNotExist) {
			return nil, nil //nolint:nilnil // nothing was uploaded, so nothing is to be copied
		}
	}
	if err := m.open(from, to); err != nil {
		return nil, err
	}
	err := m.to.Walk(ctx, func(stored []skein.StoredFile) error {
		for _, f := range stored {
			m.have[f.Name] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	marked, err := m.marked(ctx)
	switch {
	case err != nil:
		return nil, err
	case marked:
	case len(m.have) > 0:
		return func(context.Context, bool) error { return nil }, m.mustHaveAll(ctx, to)
	default:
		if err := m.mark(ctx); err != nil {
			return nil, err
		}
	}
	return m.run, nil
}

func (m *mirror) open(from, to config.Store) (err error) {
	if m.from, err = OpenUploads(from, nil); err != nil {
		return err
	}
	if m.to, err = OpenUploads(to, nil); err != nil {
		return err
	}
	if _, ok := Bucket(to); ok {
		m.staging = os.TempDir()
		return nil
	}
	m.staging = UploadsOf(to)
	return os.MkdirAll(m.staging, PrivateDir)
}

func (m *mirror) marked(ctx context.Context) (bool, error) {
	f, _, err := m.to.Open(ctx, mirrorMark)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

func (m *mirror) mark(ctx context.Context) error {
	path := filepath.Join(m.staging, fmt.Sprintf("%s-%d", mirrorMark, os.Getpid()))
	if err := os.WriteFile(path, []byte("skein migrate copies uploads to here\n"), PrivateFile); err != nil {
		return err
	}
	defer func() { _ = os.Remove(path) }() // a folder has taken it
	return m.to.Keep(ctx, path, mirrorMark)
}

// mustHaveAll accepts a target that holds all uploads already.
func (m *mirror) mustHaveAll(ctx context.Context, to config.Store) error {
	return m.from.Walk(ctx, func(stored []skein.StoredFile) error {
		for _, f := range stored {
			if !m.have[f.Name] {
				return fmt.Errorf("%s holds other files: give an empty directory or prefix", DescribeUploads(to))
			}
		}
		return nil
	})
}

// run copies what is new. The last time it also removes what is gone.
func (m *mirror) run(ctx context.Context, last bool) error {
	changed, err := m.changed()
	if err != nil || !changed && !last {
		return err
	}
	there := map[string]bool{}
	err = m.from.Walk(ctx, func(stored []skein.StoredFile) error {
		for _, f := range stored {
			there[f.Name] = true
			if err := m.copy(ctx, f.Name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !last {
		return err
	}
	for name := range m.have {
		if !there[name] {
			if _, err := m.to.Remove(ctx, name); err != nil {
				return err
			}
		}
	}
	_, err = m.to.Remove(ctx, mirrorMark)
	return err
}

// changed reports whether there may be other files than when it was called last.
func (m *mirror) changed() (bool, error) {
	now := clock.Now()
	if m.folder == "" {
		if now.Sub(m.seen) < relist {
			return false, nil
		}
		m.seen = now
		return true, nil
	}
	info, err := os.Stat(m.folder)
	if err != nil || info.ModTime().Equal(m.seen) {
		return false, err
	}
	m.seen = info.ModTime()
	return true, nil
}

// copy copies a file unless the target has it. A file never changes, but may be removed meanwhile.
// A copy keeps the time of the file where the target is a folder.
func (m *mirror) copy(ctx context.Context, name string) (err error) {
	if m.have[name] {
		return nil
	}
	from, info, err := m.from.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	staged, err := os.CreateTemp(m.staging, ".upload-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(staged.Name()) }() // a folder has taken it
	_, err = io.Copy(staged, from)
	if err := errors.Join(err, staged.Sync(), staged.Close(), os.Chtimes(staged.Name(), info.At, info.At)); err != nil {
		return err
	}
	if err := m.to.Keep(ctx, staged.Name(), name); err != nil {
		return err
	}
	m.have[name] = true
	return nil
}

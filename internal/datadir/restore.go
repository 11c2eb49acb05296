package datadir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/store"
	sqlitecopying "github.com/skein-im/skein/internal/store/sqlite/copying"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// Restore replaces a data directory with a backup.
type Restore struct {
	From            string // the backup
	To              config.Store
	Force           bool // replace what is in To
	WithoutManifest bool // accept a backup without a manifest
}

// Check checks the backup and changes nothing.
func (r Restore) Check() error {
	if err := MustHaveStore("--from", r.From); err != nil {
		return err
	}
	check := checkBackup
	if r.WithoutManifest {
		check = checkCopy
	}
	if err := check(r.From); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	return nil
}

// Run restores a backup that Check accepts. No server may run on the directory.
func (r Restore) Run(ctx context.Context) (size Copied, err error) {
	data := r.To.Data
	if err := Make(data, nil); err != nil {
		return size, err
	}
	unlock, err := Lock(data, "restore")
	if err != nil {
		return size, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := Settle(data); err != nil {
		return size, err
	}
	if !r.Force {
		if err := mustBeEmpty(data); err != nil {
			return size, err
		}
	}
	made, err := os.MkdirTemp(data, restoring)
	if err != nil {
		return size, fmt.Errorf("--data: %w", err)
	}
	defer func() { _ = os.RemoveAll(made) }() // after a success it is empty; after a failure it is useless
	if size, err = r.prepare(ctx, made); err != nil {
		return size, fmt.Errorf("restore %s: %w", r.From, err)
	}
	// From here on the restore will be completed: if it is interrupted, Settle does it at
	// the next start.
	if err := errors.Join(os.Rename(made, filepath.Join(data, restored)), syncDir(data)); err != nil {
		return size, fmt.Errorf("--data: %w", err)
	}
	return size, Settle(data)
}

// mustBeEmpty refuses a directory that holds anything but what Lock and Listen create.
func mustBeEmpty(data string) error {
	entries, err := os.ReadDir(data)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	for _, e := range entries {
		if e.Name() != lockFile && e.Name() != controlFile {
			return fmt.Errorf("--data: %s is not empty; --force replaces what is there", data)
		}
	}
	return nil
}

// Settle completes a restore that was interrupted after its data was complete, and removes
// what other interrupted restores have left. The caller holds the lock of --data.
func Settle(data string) error {
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
func (r Restore) prepare(ctx context.Context, made string) (Copied, error) {
	// The store of a backup is one file. Its directory may be read-only.
	copyStore := func(_ context.Context, path, out string) error {
		_, err := copyFile(path, out)
		return err
	}
	if r.WithoutManifest { // the copy may have a write-ahead log
		copyStore = schema.Backup
	}
	size, err := copyData(ctx, r.From, made, copyStore)
	if err != nil {
		return size, err
	}
	if err := sqlitecopying.Cancel(StoreFile(made)); err != nil { // the backup may be of a store that was about to move
		return size, err
	}
	in := r.To
	in.Data = made
	if err := WithStore(ctx, in, func(s store.Store) error { return s.NewEpoch(ctx) }); err != nil {
		return size, err
	}
	if _, err := os.Stat(StoreFile(made) + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return size, errors.New("the store did not close properly: a part of it is still in its write-ahead log")
	}
	return size, nil
}

// replaceData replaces the files in data by those in made. Every step can be repeated. The
// store comes last and is renamed over the old one, so that there is a store at any time.
func replaceData(data, made string) error {
	for _, suffix := range []string{"-wal", "-shm", "-mark"} {
		if err := os.Remove(StoreFile(data) + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	from, to := Uploads(made), Uploads(data)
	if _, err := os.Stat(from); err == nil {
		if err := errors.Join(os.RemoveAll(to), os.Rename(from, to)); err != nil {
			return err
		}
	}
	if err := syncDir(data); err != nil {
		return err
	}
	return errors.Join(os.Rename(StoreFile(made), StoreFile(data)), syncDir(data))
}

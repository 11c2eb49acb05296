package datadir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/skein-im/skein/internal/clock"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/store/copying"
	postgrescopying "github.com/skein-im/skein/internal/store/postgres/copying"
	sqlitecopying "github.com/skein-im/skein/internal/store/sqlite/copying"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// Migration copies a store into another one while servers write to the first.
type Migration struct {
	From, To config.Store
	CutOver  bool // end the migration once no server has From open; otherwise it follows until ctx ends
	Tell     func(copying.Progress)
}

// Migrated is what a migration could not keep as it was.
type Migrated struct {
	Replaced map[string]int64 // texts with characters that PostgreSQL cannot hold, by table
}

// Run copies. It may be ended at any moment and run again.
func (m Migration) Run(ctx context.Context) (done Migrated, err error) {
	if !m.From.OnPostgres() && !m.To.OnPostgres() {
		return done, errors.New("--to: a move from one --data to another is a backup and a restore")
	}
	from, release, err := m.source(ctx)
	if err != nil {
		return done, fmt.Errorf("the store to copy: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close(), release()) }()
	to, unlock, err := m.target(ctx)
	if err != nil {
		return done, fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close(), unlock()) }()
	files, err := mirrorOf(UploadsOf(m.From), UploadsOf(m.To))
	if err != nil {
		return done, fmt.Errorf("--to-uploads: %w", err)
	}
	err = copying.Run(ctx, copying.Options{Source: from, Target: to, Files: files, Tell: m.Tell})
	if source, ok := from.(*sqlitecopying.Source); ok {
		done.Replaced = source.Replaced()
	}
	return done, err
}

func nothing() error { return nil }

// source opens the store that is copied. Of the embedded store it takes the lock of --data when no server holds it.
func (m Migration) source(ctx context.Context) (from copying.Source, release func() error, err error) {
	if m.From.OnPostgres() {
		from, err := postgrescopying.OpenSource(ctx, m.From.Database, Describe(m.To), m.CutOver)
		return from, nothing, err
	}
	data := m.From.Data
	if err := MustHaveStore("--data", data); err != nil {
		return nil, nil, err
	}
	unlocked := nothing // what release calls: the lock may come later
	held := false
	free := func() (bool, error) {
		if held || !m.CutOver {
			return held, nil
		}
		unlock, err := Lock(data, "migrate")
		if _, ok := errors.AsType[*HeldError](err); ok {
			return false, nil
		}
		if err == nil {
			held, unlocked = true, unlock
		}
		return held, err
	}
	unlock, err := Lock(data, "migrate")
	_, served := errors.AsType[*HeldError](err)
	if err != nil && !served {
		return nil, nil, err
	}
	if !served {
		held, unlocked = true, unlock
	}
	if !sqlitecopying.Sealed(StoreFile(data)) {
		err = schema.Bring(ctx, schema.Options{Path: StoreFile(data), Beside: served, Now: clock.Now})
	} else {
		err = nil
	}
	if err == nil {
		from, err = sqlitecopying.OpenSource(StoreFile(data), Describe(m.To), free)
	}
	if err != nil {
		return nil, nil, errors.Join(err, unlocked())
	}
	if held && !m.CutOver { // a server may be started
		held = false
		if err := unlocked(); err != nil {
			return nil, nil, errors.Join(err, from.Close())
		}
		unlocked = nothing
	}
	return from, func() error { return unlocked() }, nil
}

// target opens the store that is filled.
func (m Migration) target(ctx context.Context) (to copying.Target, unlock func() error, err error) {
	if m.To.OnPostgres() {
		to, err := postgrescopying.OpenTarget(ctx, m.To.Database, Describe(m.From))
		return to, nothing, err
	}
	if err := Make(m.To.Data, nil); err != nil {
		return nil, nil, err
	}
	if unlock, err = Lock(m.To.Data, "migrate"); err != nil {
		return nil, nil, err
	}
	to, err = sqlitecopying.OpenTarget(ctx, schema.Options{Path: StoreFile(m.To.Data), Now: clock.Now})
	if err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	return to, unlock, nil
}

// CancelMigration makes the source of a migration what it was before. What was copied is of no use.
func CancelMigration(ctx context.Context, from config.Store) error {
	if from.OnPostgres() {
		return postgrescopying.Cancel(ctx, from.Database)
	}
	if err := MustHaveStore("--data", from.Data); err != nil {
		return err
	}
	return sqlitecopying.Cancel(StoreFile(from.Data))
}

// mirrorMark says that the files of a directory were put there by a migration.
const mirrorMark = ".migrating"

// mirrorOf makes a function that copies the uploads of from that to does not have; see copying.Options. It is nil if
// both are one directory.
func mirrorOf(from, to string) (func(ctx context.Context, last bool) error, error) {
	if err := os.MkdirAll(to, PrivateDir); err != nil {
		return nil, err
	}
	a, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing was uploaded, so nothing is to be copied
	}
	b, e := os.Stat(to)
	if err := errors.Join(err, e); err != nil {
		return nil, err
	}
	if os.SameFile(a, b) {
		return nil, nil //nolint:nilnil // there is nothing to copy
	}
	mark := filepath.Join(to, mirrorMark)
	if _, err := os.Stat(mark); errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(to)
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 {
			return func(context.Context, bool) error { return nil }, checkMirror(from, to)
		}
		if err := os.WriteFile(mark, nil, PrivateFile); err != nil {
			return nil, err
		}
	}
	var seen time.Time
	return func(ctx context.Context, last bool) error {
		info, err := os.Stat(from)
		if err != nil || !last && info.ModTime().Equal(seen) {
			return err
		}
		seen = info.ModTime()
		if err := mirror(ctx, from, to); err != nil || !last {
			return err
		}
		if err := removeOthers(from, to); err != nil {
			return err
		}
		return errors.Join(os.Remove(mark), syncDir(to))
	}, nil
}

// checkMirror accepts a directory that holds all uploads already.
func checkMirror(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(to, e.Name())); uploadName.MatchString(e.Name()) && err != nil {
			return fmt.Errorf("%s holds other files: give an empty directory", to)
		}
	}
	return nil
}

// uploadName is the name of a finished upload.
var uploadName = regexp.MustCompile(`^[0-9a-f]{32}(\.[0-9A-Za-z.]+)?$`)

// mirror copies the uploads that are not there. Uploads never change, but may be removed meanwhile.
func mirror(ctx context.Context, from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(to, e.Name())
		if _, err := os.Stat(path); err == nil || !uploadName.MatchString(e.Name()) {
			continue
		}
		partial := path + ".partial"
		if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		_, err := copyFile(filepath.Join(from, e.Name()), partial)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := errors.Join(err, os.Rename(partial, path)); err != nil {
			return err
		}
	}
	return nil
}

// removeOthers removes what was copied and is no longer there.
func removeOthers(from, to string) error {
	entries, err := os.ReadDir(to)
	for _, e := range entries {
		if _, e2 := os.Stat(filepath.Join(from, e.Name())); errors.Is(e2, fs.ErrNotExist) && e.Name() != mirrorMark {
			err = errors.Join(err, os.Remove(filepath.Join(to, e.Name())))
		}
	}
	return err
}

// Package schema creates, recognises, checks, migrates, inspects and backs up store files,
// whether or not another process serves them.
package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/migrations"
	"github.com/skein-im/skein/internal/store/sqlite/wal"
)

// Options say which file to open and what may be done to it.
type Options struct {
	Path       string // absolute
	Beside     bool   // another process serves the file: do not migrate it; see ErrOldSchema
	AcceptLoss bool   // continue even if the log lacks answered writes; see wal.LossError
	Now        func() time.Time
	Log        *slog.Logger
}

// NewEpoch is the statement that invalidates all cursors given out so far.
const NewEpoch = `UPDATE history SET epoch = abs(random() >> 11)`

// Bring creates, checks and migrates the file so that this binary can work with it. It leaves a
// file that it refuses unchanged. Beside another process that serves the file it only checks
// the file. Errors: *wal.LossError, ErrOldSchema.
func Bring(ctx context.Context, opt Options) error {
	path := opt.Path
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(ctx, path); err != nil {
			return err
		}
	}
	logged, err := recognise(path)
	if err != nil {
		return err
	}
	version, err := versionOf(ctx, opt)
	if err != nil {
		return err
	}
	newest, err := newestSchema()
	if err != nil || version == newest && logged {
		return err
	}
	if opt.Beside {
		return fmt.Errorf("%s has schema version %d, this skein would make it %d: %w", path, version, newest, ErrOldSchema)
	}
	// The following commits write no mark.
	if err := errors.Join(wal.RemoveMark(path), migrate(ctx, path)); err != nil {
		return fmt.Errorf("migrate %s from schema version %d to %d: %w", path, version, newest, err)
	}
	return nil
}

// versionOf checks that a file is sound and has all commits, and returns the version of its
// schema. If another process is connected to the file, that process has made these checks.
func versionOf(ctx context.Context, opt Options) (version int64, err error) {
	path := opt.Path
	see := func(c *engine.Conn) error {
		version, err = checkSchema(c, path)
		return err
	}
	if !opt.Beside {
		err = lookWhole(ctx, path, see)
		if _, ok := errors.AsType[*wal.LossError](err); ok && opt.AcceptLoss {
			if err = acceptLoss(ctx, opt, err); err == nil {
				err = lookWhole(ctx, path, see)
			}
		}
		if !errors.Is(err, errInUse) {
			return version, err
		}
	}
	return version, readable(path, withFile(ctx, path, see))
}

// lookWhole is look, after a check that the log lacks no commits. Errors: *wal.LossError, those
// of look.
func lookWhole(ctx context.Context, path string, see func(*engine.Conn) error) error {
	err := look(ctx, path, func(c *engine.Conn) error {
		if err := wal.Check(path); err != nil {
			return err
		}
		return see(c)
	})
	if engine.Corrupt(err) { // perhaps because the log lost pages
		if err := wal.Check(path); err != nil {
			return err
		}
	}
	return readable(path, err)
}

// acceptLoss continues with what is left. It copies the log to another name and empties it:
// otherwise old frames would follow the new ones.
func acceptLoss(ctx context.Context, opt Options, loss error) error {
	aside := opt.Path + "-wal.lost-" + opt.Now().UTC().Format("20060102T150405.000")
	opt.Log.Error("store goes on without writes that were answered, as it was told to", slog.Any("error", loss), slog.String("kept", aside))
	log, err := os.ReadFile(opt.Path + "-wal")
	if err == nil {
		err = os.WriteFile(aside, log, 0o600) //nolint:gosec // beside the store
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep the log: %w", err)
	}
	c, err := engine.OpenConn(opt.Path, sqlite3.OPEN_READWRITE, engine.WriterSettings)
	if err != nil {
		return readable(opt.Path, err)
	}
	_, _, err = c.DB.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
	if err == nil {
		err = c.Exec(NewEpoch) // clients may have seen what is lost
	}
	if err := errors.Join(err, c.Close()); err != nil {
		return readable(opt.Path, err)
	}
	if err := Check(ctx, opt.Path); err != nil {
		return fmt.Errorf("%s is damaged beyond its log, restore a backup: %w", opt.Path, err)
	}
	return wal.RemoveMark(opt.Path)
}

// readable explains an error about a corrupt file.
func readable(path string, err error) error {
	if engine.Corrupt(err) {
		return fmt.Errorf("%s is damaged, restore a backup: %w", path, err)
	}
	return err
}

// create makes a new store. The file gets its name only when it is complete, so an empty file
// of that name was not made here.
func create(ctx context.Context, path string) error {
	dir, name := filepath.Split(path)
	made, err := os.CreateTemp(dir, name+newSuffix)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	defer func() { _ = os.Remove(made.Name()) }() // it is a second name of the store, or useless
	err = made.Close()
	if err == nil {
		err = withDatabase(made.Name(), func(db *sql.DB) error { return define(ctx, db) })
	}
	if err == nil {
		err = syncFile(made.Name())
	}
	if err == nil {
		err = os.Link(made.Name(), path)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) { // somebody else was first
		return fmt.Errorf("create %s: %w", path, err)
	}
	return syncDir(dir)
}

// newSuffix ends the name of a store that is being made; see [os.CreateTemp].
const newSuffix = ".new-*"

// define gives an empty file the newest schema, in one commit and in a tenth of the time that
// goose takes. It fills goose's own table too, so that goose can migrate the file later.
func define(ctx context.Context, db *sql.DB) error {
	all, err := migrationFiles()
	if err != nil {
		return err
	}
	versions, err := database.NewStore(database.DialectSQLite3, goose.DefaultTablename)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	err = errors.Join(versions.CreateVersionTable(ctx, tx), versions.Insert(ctx, tx, database.InsertRequest{}))
	for _, m := range all {
		if err == nil {
			_, err = tx.ExecContext(ctx, m.up)
		}
		if err == nil {
			err = versions.Insert(ctx, tx, database.InsertRequest{Version: m.version})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return tx.Commit()
}

// migrate brings the schema of the file at path up to date and switches it to a log.
func migrate(ctx context.Context, path string) error {
	return withDatabase(path, func(db *sql.DB) error {
		provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.Files)
		if err == nil {
			_, err = provider.Up(ctx)
		}
		return err
	})
}

// withDatabase opens the file at path with database/sql, which goose needs. All other code uses
// the driver's own API.
func withDatabase(path string, do func(*sql.DB) error) error {
	db, err := driver.Open(path, func(c *sqlite3.Conn) error {
		return c.Exec(engine.Settings)
	})
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}

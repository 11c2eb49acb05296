package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3"
)

// A migration that has landed is never edited: stores that ran it would not run it
// again. Its sum is kept beside it.
//
//go:generate ../../../scripts/migrations.sh
//go:embed migrations/*.sql
var migrations embed.FS

// bring makes the file at path one that this binary can work with. A file that it
// refuses is left as it was. With beside another process serves the file, which is
// looked at and not migrated.
func bring(ctx context.Context, path string, beside bool) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(ctx, path); err != nil {
			return err
		}
	}
	logged, err := recognise(path)
	if err != nil {
		return err
	}
	version, err := versionOf(ctx, path, beside)
	if err != nil {
		return err
	}
	newest, err := newestSchema()
	if err != nil || version == newest && logged {
		return err
	}
	if beside {
		return fmt.Errorf("%s has schema version %d, this skein would make it %d: %w", path, version, newest, ErrOldSchema)
	}
	if err := migrate(ctx, path); err != nil {
		return fmt.Errorf("migrate %s from schema version %d to %d: %w", path, version, newest, err)
	}
	return nil
}

// versionOf is the version of the schema of a file that is as it should be. Where
// somebody is connected to the file for longer than to look at it, it is looked at
// beside them.
func versionOf(ctx context.Context, path string, beside bool) (version int64, err error) {
	see := func(c *connection) error {
		version, err = checkSchema(c, path)
		return err
	}
	if !beside {
		if err = look(ctx, path, see); !errors.Is(err, errInUse) {
			return version, readable(path, err)
		}
	}
	return version, readable(path, withFile(ctx, path, see))
}

// readable says of a file that SQLite cannot read what that means.
func readable(path string, err error) error {
	if corrupt(err) {
		return fmt.Errorf("%s is damaged: %w", path, err)
	}
	return err
}

// create makes a new store. It gets its name when it is whole, so a file of that
// name that has nothing in it was not made here.
func create(ctx context.Context, path string) error {
	dir, name := filepath.Split(path)
	made, err := os.CreateTemp(dir, name+newSuffix)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	defer func() { _ = os.Remove(made.Name()) }() // a second name, or of no use
	err = made.Close()
	if err == nil {
		err = migrate(ctx, made.Name())
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

// newSuffix is the end of the name of a store that is being made; see [os.CreateTemp].
const newSuffix = ".new-*"

// migrate brings the schema of the file at path up to date, and gives it a log.
func migrate(ctx context.Context, path string) (err error) {
	// database/sql for goose alone; everything else uses the driver's own API.
	db, err := driver.Open(path, func(c *sqlite3.Conn) error {
		return c.Exec(settings)
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

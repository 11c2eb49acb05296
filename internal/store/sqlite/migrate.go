package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrateAttempts bounds how often migrate starts over. A server and the command
// line may open a new file at the same moment; the one that comes second finds
// tables where it planned to make them, and is done when it looks again.
const migrateAttempts = 5

// migrate brings the file at path to the newest schema.
func migrate(ctx context.Context, path string) error {
	var errs error
	for range migrateAttempts {
		err := migrateOnce(ctx, path)
		if err == nil {
			return nil
		}
		errs = errors.Join(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return fmt.Errorf("migrate %s: %w", path, errs)
}

func migrateOnce(ctx context.Context, path string) (err error) {
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

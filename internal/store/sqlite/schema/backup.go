package schema

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// Backup writes the present content of the file at path into the new file out and syncs it.
// Meanwhile other connections continue to read and write, and their log grows. The copy has
// rows but no free pages, so it has nothing that was erased. Backup refuses a damaged store.
// If it fails it may leave a part of out behind.
func Backup(ctx context.Context, path, out string) error {
	err := lookWhole(ctx, path, func(*engine.Conn) error { return nil })
	if err != nil && !errors.Is(err, errInUse) { // the process that uses the file has checked it
		return fmt.Errorf("back up the store: %w", err)
	}
	err = withFile(ctx, path, func(c *engine.Conn) error {
		if err := c.Sound(`PRAGMA quick_check(1)`); err != nil {
			return err
		}
		return c.Exec(`VACUUM INTO ?1`, out)
	})
	if err != nil {
		return fmt.Errorf("back up the store: %w", readable(path, err))
	}
	if err := syncFile(out); err != nil {
		return fmt.Errorf("back up the store: %w", err)
	}
	return nil
}

// Check reads the whole file at path and returns the first fault that it finds.
func Check(ctx context.Context, path string) error {
	err := withFile(ctx, path, func(c *engine.Conn) error { return c.Sound(`PRAGMA integrity_check(1)`) })
	if err != nil {
		return fmt.Errorf("check the store: %w", readable(path, err))
	}
	return nil
}

// withFile calls do with a read-only connection.
func withFile(ctx context.Context, path string, do func(*engine.Conn) error) error {
	c, err := engine.OpenConn(path, sqlite3.OPEN_READONLY, engine.ReaderSettings)
	if err != nil {
		return err
	}
	c.DB.SetInterrupt(ctx)
	err = do(c)
	if errors.Is(err, sqlite3.INTERRUPT) && ctx.Err() != nil {
		err = ctx.Err()
	}
	c.DB.SetInterrupt(context.Background())
	return errors.Join(err, c.Close())
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator's own
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncDir makes the file names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator's own
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

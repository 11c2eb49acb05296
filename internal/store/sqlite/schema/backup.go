package schema

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// Backup writes what the file at path holds now into the new file out, and waits
// until it is on the disk. Other handles read and write on meanwhile; their log
// grows until it is done. It writes rows and no free pages, so nothing that was
// erased is in the copy. A store that is damaged is not backed up. When it fails there may be a part of out.
func Backup(ctx context.Context, path, out string) error {
	err := lookWhole(ctx, path, func(*engine.Conn) error { return nil })
	if err != nil && !errors.Is(err, errInUse) { // who uses it has found it whole
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

// Check reads all of the file at path and answers what is wrong with it first.
func Check(ctx context.Context, path string) error {
	err := withFile(ctx, path, func(c *engine.Conn) error { return c.Sound(`PRAGMA integrity_check(1)`) })
	if err != nil {
		return fmt.Errorf("check the store: %w", readable(path, err))
	}
	return nil
}

// withFile lends do a connection that changes nothing.
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

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator's own
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

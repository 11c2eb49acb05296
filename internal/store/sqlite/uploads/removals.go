package uploads

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Bounds of one step.
const (
	releaseRows = 100  // files that ReleaseUploads releases
	releaseApps = 1000 // apps that it asks for one
)

// ReleaseUploads releases files of one app; see store.Uploads. A reader searches; the commit
// checks again.
func (s *Store) ReleaseUploads(ctx context.Context, now skein.Millis) (more bool, err error) {
	var due []int64
	after := s.releasedApp.Load()
	app := after
	err = tx.Snapshot(ctx, s.db, "", func(c connection) error {
		app, due, err = c.dueUploads(after, now)
		return err
	})
	if err != nil {
		return false, err
	}
	s.releasedApp.Store(app)
	if len(due) == 0 {
		return after != 0 || app != 0, nil
	}
	return true, tx.Change(ctx, s.db, func(g group) error {
		for _, key := range due {
			if err := g.Exec(`DELETE FROM uploads WHERE upload_key = ?1 AND due <= ?2`, key, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// dueUploads lists some files that may be removed, of the first app after the given one that
// has any, and returns that app. Zero: there is no further app; the next call begins with the
// first. While the backfill runs there are none, because what names them may be unknown.
func (c connection) dueUploads(after int64, now skein.Millis) (app int64, keys []int64, err error) {
	filling, err := c.Row(nil, `SELECT 1 FROM backfill LIMIT 1`)
	if err != nil || filling {
		return 0, nil, err
	}
	app = after
	for range releaseApps {
		found, err := c.Row(func(r *sqlite3.Stmt) { app = r.ColumnInt64(0) },
			`SELECT app_key FROM uploads WHERE app_key > ?1 ORDER BY app_key LIMIT 1`, app)
		if err != nil || !found {
			return 0, nil, err
		}
		err = c.Rows(func(r *sqlite3.Stmt) { keys = append(keys, r.ColumnInt64(0)) },
			`SELECT upload_key FROM uploads WHERE app_key = ?1 AND due <= ?2 ORDER BY due LIMIT ?3`, app, now, releaseRows)
		if err != nil || len(keys) > 0 {
			return app, keys, err
		}
	}
	return app, nil, nil
}

// ReleasedUploads lists files to remove; see store.Uploads.
func (s *Store) ReleasedUploads(ctx context.Context, after string, limit int) (names []string, err error) {
	err = tx.Read(ctx, s.db, "", func(c connection) error {
		return c.Rows(func(r *sqlite3.Stmt) { names = append(names, r.ColumnText(0)) }, `SELECT name FROM removals WHERE name > ?1 ORDER BY name LIMIT ?2`, after, limit)
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

// ForgetUploads records that files were removed; see store.Uploads.
func (s *Store) ForgetUploads(ctx context.Context, names []string) error {
	return tx.Change(ctx, s.db, func(g group) error {
		for _, name := range names {
			if err := g.Exec(`DELETE FROM removals WHERE name = ?1`, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// CheckUploads compares the storage with the rows; see store.Uploads.
func (s *Store) CheckUploads(ctx context.Context, stored []skein.StoredFile) (unknown []string, err error) {
	var unmeasured []skein.StoredFile
	err = tx.Snapshot(ctx, s.db, "", func(c connection) error {
		for _, f := range stored {
			size := int64(-1)
			found, err := c.Row(func(r *sqlite3.Stmt) { size = r.ColumnInt64(0) }, `SELECT size FROM uploads WHERE name = ?1`, f.Name)
			if err == nil && !found {
				found, err = c.Row(nil, `SELECT 1 FROM removals WHERE name = ?1`, f.Name)
			}
			switch {
			case err != nil:
				return err
			case !found:
				unknown = append(unknown, f.Name)
			case size == 0:
				unmeasured = append(unmeasured, f)
			}
		}
		return nil
	})
	if err != nil || len(unmeasured) == 0 {
		return unknown, err
	}
	return unknown, tx.Change(ctx, s.db, func(g group) error {
		for _, f := range unmeasured {
			if err := g.Exec(`UPDATE uploads SET size = ?2 WHERE name = ?1 AND size = 0`, f.Name, f.Size); err != nil {
				return err
			}
		}
		return nil
	})
}

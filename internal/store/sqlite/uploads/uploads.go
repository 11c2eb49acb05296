package uploads

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// AddUpload records a file; see store.Uploads.
func (s *Store) AddUpload(ctx context.Context, u skein.Upload) error {
	return tx.ChangeOf(ctx, s.db, u.App, func(g group) error {
		app, err := g.KnownApp(u.App)
		if err != nil {
			return err
		}
		if err := g.checkQuota(app, u); err != nil {
			return err
		}
		added, err := g.Change(`INSERT INTO uploads (app_key, name, client_id, created, kept, due, size, title)
			SELECT ?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM removals WHERE name = ?2)
			ON CONFLICT DO NOTHING`, app, u.Name, u.Client, u.At, u.Until, u.Size, u.Title)
		if err == nil && !added {
			err = skein.About(skein.ErrConflict, "name")
		}
		return err
	})
}

// checkQuota refuses an upload that would exceed the app's quota.
func (g group) checkQuota(app int64, u skein.Upload) error {
	if u.Quota <= 0 {
		return nil
	}
	stored := int64(0)
	err := g.Rows(func(r *sqlite3.Stmt) { stored = r.ColumnInt64(0) }, `SELECT bytes FROM storage WHERE app_key = ?1`, app)
	if err == nil && stored+u.Size > u.Quota {
		err = skein.OverQuota(u.Quota)
	}
	return err
}

// StoredBytes is how many bytes an app has stored; see store.Uploads.
func (s *Store) StoredBytes(ctx context.Context, app string) (bytes int64, err error) {
	err = tx.Read(ctx, s.db, app, func(c connection) error {
		_, err := c.Row(func(r *sqlite3.Stmt) { bytes = r.ColumnInt64(0) },
			`SELECT bytes FROM storage WHERE app_key = `+tx.AppKey, app)
		return err
	})
	return bytes, err
}

// Upload is a file that is not due for removal; see store.Uploads.
func (s *Store) Upload(ctx context.Context, name string) (u skein.Upload, found bool, err error) {
	err = tx.Read(ctx, s.db, "", func(c connection) error {
		found, err = c.Row(func(r *sqlite3.Stmt) {
			u = skein.Upload{
				App: r.ColumnText(0), Name: name, Client: r.ColumnText(1), At: engine.Millis(r, 2), Until: engine.Millis(r, 3),
				Size: r.ColumnInt64(4), Title: r.ColumnText(5),
			}
		}, livingUpload, name, s.db.Millis())
		return err
	})
	return u, found, err
}

// livingUpload is the file ?1 at ?2. It checks that what names the file still exists: deleted
// things stay in the tables until Purge. While the backfill runs, every file counts as named.
const livingUpload = `SELECT a.id, u.client_id, u.created, u.kept, u.size, u.title
	FROM uploads u JOIN apps a ON a.app_key = u.app_key
	WHERE u.name = ?1 AND a.deleted = 0 AND (u.kept > ?2
		OR EXISTS (SELECT 1 FROM backfill)
		OR EXISTS (SELECT 1 FROM upload_uses s WHERE s.upload_key = u.upload_key AND CASE s.kind
			WHEN 1 THEN EXISTS (SELECT 1 FROM messages m JOIN conversations c ON c.conv_key = m.conv_key
				WHERE m.message_key = s.thing_key AND c.deleted = 0 AND c.expires > ?2)
			WHEN 2 THEN EXISTS (SELECT 1 FROM conversations c
				WHERE c.conv_key = s.thing_key AND c.deleted = 0 AND c.expires > ?2)
			WHEN 4 THEN EXISTS (SELECT 1 FROM members m JOIN conversations c ON c.conv_key = m.conv_key
				WHERE m.member_key = s.thing_key AND c.deleted = 0 AND c.expires > ?2)
			ELSE 1 END))`

package uploads

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// AddUpload records a file; see store.Uploads.
func (s *Store) AddUpload(ctx context.Context, u skein.Upload) error {
	return s.db.Write(ctx, u.App, func(ctx context.Context, t *tx.Tx) error {
		app, err := t.KnownApp(ctx, u.App)
		if err != nil {
			return err
		}
		if err := checkQuota(ctx, t, app, u); err != nil {
			return err
		}
		added, err := t.Exec(ctx, `INSERT INTO uploads (app_key, name, client_id, created, kept, due, size, title)
			SELECT $1, $2, $3, $4, $5, $5, $6, $7 WHERE NOT EXISTS (SELECT 1 FROM removals WHERE name = $2)
			ON CONFLICT DO NOTHING`, app, u.Name, u.Client, u.At, u.Until, u.Size, u.Title)
		if err == nil && added.RowsAffected() == 0 {
			err = skein.About(skein.ErrConflict, "name")
		}
		return err
	})
}

// checkQuota refuses an upload that would exceed the app's quota. It locks the app's row of
// storage, so that of two uploads the second counts the first.
func checkQuota(ctx context.Context, t *tx.Tx, app int64, u skein.Upload) error {
	if u.Quota <= 0 {
		return nil
	}
	if _, err := t.Exec(ctx, `INSERT INTO storage (app_key, bytes) VALUES ($1, 0) ON CONFLICT DO NOTHING`, app); err != nil {
		return err
	}
	var stored int64
	if err := t.QueryRow(ctx, `SELECT bytes FROM storage WHERE app_key = $1 FOR UPDATE`, app).Scan(&stored); err != nil {
		return err
	}
	if stored+u.Size > u.Quota {
		return skein.OverQuota(u.Quota)
	}
	return nil
}

// StoredBytes is how many bytes an app has stored; see store.Uploads.
func (s *Store) StoredBytes(ctx context.Context, app string) (bytes int64, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		return c.QueryRow(ctx, `SELECT coalesce((SELECT bytes FROM storage WHERE app_key = `+tx.AppKey+`), 0)`, app).Scan(&bytes)
	})
	return bytes, err
}

// Upload is a file that is not due for removal; see store.Uploads.
func (s *Store) Upload(ctx context.Context, name string) (u skein.Upload, found bool, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) (err error) {
		u = skein.Upload{Name: name}
		found, err = tx.Found(c.QueryRow(ctx, livingUpload, name, c.Now).Scan(&u.App, &u.Client, &u.At, &u.Until, &u.Size, &u.Title))
		return err
	})
	if err != nil || !found {
		return skein.Upload{}, false, err
	}
	return u, true, nil
}

// livingUpload is the file $1 at $2. It checks that what names the file still exists: deleted
// things stay in the tables until Purge.
const livingUpload = `SELECT a.id, u.client_id, u.created, u.kept, u.size, u.title
	FROM uploads u JOIN apps a ON a.app_key = u.app_key
	WHERE u.name = $1 AND NOT a.deleted AND (u.kept > $2
		OR EXISTS (SELECT 1 FROM upload_uses s WHERE s.upload_key = u.upload_key AND CASE
			WHEN s.kind IN (1, 2) THEN EXISTS (SELECT 1 FROM conversations c
				WHERE c.conv_key = s.thing_key AND c.deleted = 0 AND c.expires > $2)
			WHEN s.kind = 4 THEN EXISTS (SELECT 1 FROM members m JOIN conversations c ON c.conv_key = m.conv_key
				WHERE m.member_key = s.thing_key AND c.deleted = 0 AND c.expires > $2)
			ELSE true END))`

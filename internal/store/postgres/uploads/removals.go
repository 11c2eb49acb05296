package uploads

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// releaseRows bounds the files that one call of ReleaseUploads releases.
const releaseRows = 100

// ReleaseUploads releases files of one app; see store.Uploads. What is read first is checked
// again under the locks of the files' rows.
func (s *Store) ReleaseUploads(ctx context.Context, now skein.Millis) (more bool, err error) {
	after := s.releasedApp.Load()
	var app int64
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		app, err = dueApp(ctx, c, after, now)
		return err
	})
	if err != nil {
		return false, err
	}
	s.releasedApp.Store(app)
	if app == 0 {
		return after != 0, nil // the next call begins with the first app
	}
	return true, s.db.Write(ctx, "", func(ctx context.Context, t *tx.Tx) error {
		_, err := t.Exec(ctx, `DELETE FROM uploads WHERE due <= $2 AND upload_key = ANY (ARRAY(
			SELECT upload_key FROM uploads WHERE app_key = $1 AND due <= $2 ORDER BY due LIMIT $3 FOR UPDATE))`, app, now, releaseRows)
		return err
	})
}

// dueApp is the first app after another that has a file to release; zero: none. It steps from
// app to app, so that it reads one row of each.
func dueApp(ctx context.Context, c tx.Conn, after int64, now skein.Millis) (app int64, err error) {
	err = c.QueryRow(ctx, `WITH RECURSIVE step(app_key, due) AS (
			(SELECT app_key, due FROM uploads WHERE app_key > $1 ORDER BY app_key, due LIMIT 1)
			UNION ALL
			SELECT n.app_key, n.due FROM step CROSS JOIN LATERAL
				(SELECT u.app_key, u.due FROM uploads u WHERE u.app_key > step.app_key ORDER BY u.app_key, u.due LIMIT 1) n
				WHERE step.due > $2)
		SELECT app_key FROM step WHERE due <= $2 LIMIT 1`, after, now).Scan(&app)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return app, err
}

// ReleasedUploads lists files to remove; see store.Uploads.
func (s *Store) ReleasedUploads(ctx context.Context, after string, limit int) ([]string, error) {
	return s.names(ctx, `SELECT name FROM removals WHERE name > $1 ORDER BY name LIMIT $2`, after, limit)
}

func (s *Store) names(ctx context.Context, sql string, args ...any) (names []string, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, sql, args...)
		if err == nil {
			names, err = pgx.AppendRows([]string(nil), found, pgx.RowTo[string])
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

// ForgetUploads records that files were removed; see store.Uploads.
func (s *Store) ForgetUploads(ctx context.Context, names []string) error {
	return s.db.Write(ctx, "", func(ctx context.Context, t *tx.Tx) error {
		_, err := t.Exec(ctx, `DELETE FROM removals WHERE name = ANY($1)`, names)
		return err
	})
}

// CheckUploads compares the storage with the rows; see store.Uploads.
func (s *Store) CheckUploads(ctx context.Context, stored []skein.StoredFile) (unknown []string, err error) {
	names, sizes := make([]string, len(stored)), make([]int64, len(stored))
	for i, f := range stored {
		names[i], sizes[i] = f.Name, f.Size
	}
	// A file that is released meanwhile is known for as long as this statement looks: it sees one
	// moment.
	unknown, err = s.names(ctx, `SELECT f.name FROM unnest($1::text[]) WITH ORDINALITY f(name, place)
		WHERE NOT EXISTS (SELECT 1 FROM uploads u WHERE u.name = f.name) AND NOT EXISTS (SELECT 1 FROM removals r WHERE r.name = f.name)
		ORDER BY f.place`, names)
	if err != nil {
		return nil, err
	}
	unmeasured, err := s.names(ctx, `SELECT name FROM uploads WHERE name = ANY($1) AND size = 0 LIMIT 1`, names)
	if err != nil || len(unmeasured) == 0 {
		return unknown, err
	}
	return unknown, s.db.Write(ctx, "", func(ctx context.Context, t *tx.Tx) error {
		_, err := t.Exec(ctx, `UPDATE uploads u SET size = f.size FROM unnest($1::text[], $2::bigint[]) f(name, size)
			WHERE u.name = f.name AND u.size = 0 AND f.size > 0`, names, sizes)
		return err
	})
}

package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// A file may go once its uploader has taken back a message with it and no message
// names it any more. The first is a column of its row, the second is in the table
// upload_uses, so that whoever names it meanwhile keeps it.

// AddUpload notes a file; see store.Uploads.
func (s *Store) AddUpload(ctx context.Context, u skein.Upload) error {
	return s.changeOf(ctx, u.App, func(g *group) error {
		app, err := g.knownApp(u.App)
		if err != nil {
			return err
		}
		added, err := g.change(`INSERT INTO uploads (app_key, name, client_id, created, size, title) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
			ON CONFLICT DO NOTHING`, app, u.Name, u.Client, u.At, u.Size, u.Title)
		if err == nil && !added {
			err = skein.About(skein.ErrConflict, "name")
		}
		return err
	})
}

// StoredBytes is how much an app has uploaded; see store.Uploads.
func (s *Store) StoredBytes(ctx context.Context, app string) (bytes int64, err error) {
	err = s.readers.do(ctx, func(c *connection) error {
		_, err := c.row(func(r *sqlite3.Stmt) { bytes = r.ColumnInt64(0) },
			`SELECT bytes FROM storage WHERE app_key = `+appKey, app)
		return err
	})
	return bytes, err
}

// ReleasedUploads names files that may go; see store.Uploads.
func (s *Store) ReleasedUploads(ctx context.Context, limit int) (names []string, err error) {
	err = s.readers.do(ctx, func(c *connection) error {
		return c.rows(func(r *sqlite3.Stmt) { names = append(names, r.ColumnText(0)) }, releasedUploads, limit)
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

const releasedUploads = `SELECT name FROM uploads u INDEXED BY uploads_withdrawn
	WHERE withdrawn = 1 AND NOT EXISTS (SELECT 1 FROM upload_uses s WHERE s.upload_key = u.upload_key) LIMIT ?1`

// ForgetUpload drops a file that is gone, even where a message has come to name it
// since; see store.Uploads.
func (s *Store) ForgetUpload(ctx context.Context, name string) error {
	return s.change(ctx, func(g *group) error {
		err := g.exec(`DELETE FROM upload_uses WHERE upload_key IN (SELECT upload_key FROM uploads WHERE name = ?1)`, name)
		if err != nil {
			return err
		}
		return g.exec(`DELETE FROM uploads WHERE name = ?1`, name)
	})
}

// author is who answers for a message: what it names is its own to withdraw.
type author struct {
	client string
	server bool // the backend sent it in the client's name
}

// isUploader, with an author's client and server as ?3 and ?4, is whether it
// uploaded the file.
const isUploader = `(client_id = ?3 OR ?4 AND client_id = '')`

// useUploads notes that a message names files, those of them that its app has. Who
// uploaded one and says it again means to keep it.
func (g *group) useUploads(app string, message int64, by author, names []string) error {
	for _, name := range names {
		used, err := g.change(`INSERT INTO upload_uses (upload_key, message_key)
			SELECT upload_key, ?3 FROM uploads WHERE app_key = `+appKey+` AND name = ?2 ON CONFLICT DO NOTHING`, app, name, message)
		if err != nil {
			return err
		}
		if !used {
			continue
		}
		err = g.exec(`UPDATE uploads SET withdrawn = 0
			WHERE app_key = `+appKey+` AND name = ?2 AND withdrawn = 1 AND `+isUploader, app, name, by.client, by.server)
		if err != nil {
			return err
		}
	}
	return nil
}

// reuseUploads notes what a message names now that it has changed. What it named
// before and does not any more is withdrawn, if it was its author's.
func (g *group) reuseUploads(app string, m *subject) error {
	var before []int64
	err := g.rows(func(r *sqlite3.Stmt) { before = append(before, r.ColumnInt64(0)) },
		`SELECT upload_key FROM upload_uses WHERE message_key = ?1`, m.key)
	if err != nil {
		return err
	}
	by := author{m.Sender, m.server}
	if len(before) > 0 {
		if err := g.exec(`DELETE FROM upload_uses WHERE message_key = ?1`, m.key); err != nil {
			return err
		}
	}
	if err := g.useUploads(app, m.key, by, m.Uploads()); err != nil {
		return err
	}
	for _, upload := range before {
		err := g.exec(`UPDATE uploads SET withdrawn = 1 WHERE upload_key = ?1 AND `+isUploader+`
			AND NOT EXISTS (SELECT 1 FROM upload_uses WHERE upload_key = ?1 AND message_key = ?2)`,
			upload, m.key, by.client, by.server)
		if err != nil {
			return err
		}
	}
	return nil
}

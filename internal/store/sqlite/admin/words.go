package admin

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// WordList reads an app's words; see store.Apps.
func (s *Store) WordList(ctx context.Context, app string) (list skein.WordList, err error) {
	err = tx.Read(ctx, s.db, app, func(c connection) error {
		list, err = c.wordList(app)
		return err
	})
	return list, err
}

// WordList implements store.AdminTx.
func (g group) WordList(_ context.Context, app string) (skein.WordList, error) {
	return g.conn().wordList(app)
}

func (c connection) wordList(app string) (list skein.WordList, err error) {
	var broken error
	_, err = c.Row(func(r *sqlite3.Stmt) {
		list.Revision = r.ColumnInt64(0)
		broken = rows.DecodeWordList(r.ColumnRawText(1), &list)
	}, `SELECT w.revision, w.list FROM apps a JOIN word_lists w ON w.app_key = a.app_key WHERE a.id = ?1 AND a.deleted = 0`, app)
	if err == nil {
		err = broken
	}
	return list, err
}

// PutWordList implements store.AdminTx.
func (g group) PutWordList(_ context.Context, app string, list skein.WordList) error {
	row, err := rows.EncodeWordList(list)
	if err != nil {
		return err
	}
	return g.Exec(`INSERT INTO word_lists (app_key, revision, list) SELECT app_key, ?2, ?3 FROM apps WHERE id = ?1 AND deleted = 0
		ON CONFLICT (app_key) DO UPDATE SET revision = excluded.revision, list = excluded.list`, app, list.Revision, engine.RawText(row))
}

// RemoveWordList implements store.AdminTx.
func (g group) RemoveWordList(_ context.Context, app string) error {
	return g.Exec(`DELETE FROM word_lists WHERE app_key IN (SELECT app_key FROM apps WHERE id = ?1 AND deleted = 0)`, app)
}

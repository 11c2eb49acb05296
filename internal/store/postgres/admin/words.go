package admin

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// WordList reads an app's words; see store.Apps.
func (s *Store) WordList(ctx context.Context, app string) (list skein.WordList, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		list, err = wordList(ctx, c, app)
		return err
	})
	return list, err
}

// WordList implements store.AdminTx. Two deeds about it wait for each other at the app's row,
// which both read first.
func (t deedTx) WordList(ctx context.Context, app string) (skein.WordList, error) {
	return wordList(ctx, t.Conn, app)
}

func wordList(ctx context.Context, c tx.Conn, app string) (list skein.WordList, err error) {
	var row []byte
	err = c.QueryRow(ctx, `SELECT w.revision, w.list FROM apps a JOIN word_lists w ON w.app_key = a.app_key WHERE a.id = $1 AND NOT a.deleted`, app).
		Scan(&list.Revision, &row)
	if errors.Is(err, pgx.ErrNoRows) {
		return skein.WordList{}, nil
	}
	if err != nil {
		return list, err
	}
	return list, rows.DecodeWordList(row, &list)
}

// PutWordList implements store.AdminTx.
func (t deedTx) PutWordList(ctx context.Context, app string, list skein.WordList) error {
	row, err := rows.EncodeWordList(list)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `INSERT INTO word_lists (app_key, revision, list) SELECT app_key, $2, $3 FROM apps WHERE id = $1 AND NOT deleted
		ON CONFLICT (app_key) DO UPDATE SET revision = excluded.revision, list = excluded.list`, app, list.Revision, row)
	return err
}

// RemoveWordList implements store.AdminTx.
func (t deedTx) RemoveWordList(ctx context.Context, app string) error {
	_, err := t.Exec(ctx, `DELETE FROM word_lists WHERE app_key = (SELECT app_key FROM apps WHERE id = $1 AND NOT deleted)`, app)
	return err
}

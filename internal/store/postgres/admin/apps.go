package admin

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// CreateApp adds an app; see store.Apps.
func (s *Store) CreateApp(ctx context.Context, app skein.App) error {
	return s.db.Write(ctx, app.ID, func(ctx context.Context, t *tx.Tx) error { return deedTx{t}.CreateApp(ctx, app) })
}

// CreateApp implements store.AdminTx.
func (t deedTx) CreateApp(ctx context.Context, app skein.App) error {
	row, err := rows.EncodeApp(app)
	if err != nil {
		return err
	}
	done, err := t.Exec(ctx, `INSERT INTO apps (id, name, keys, token_secret, settings, created)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		app.ID, app.Name, row.Keys, app.TokenSecret, row.Settings, app.Created)
	if err == nil && done.RowsAffected() == 0 {
		err = skein.About(skein.ErrConflict, app.ID)
	}
	return err
}

// App is one app; see store.Apps.
func (s *Store) App(ctx context.Context, id string) (app skein.App, err error) {
	err = s.db.Each(ctx, id, func(ctx context.Context, c tx.Conn) error {
		app, err = tx.ReadApp(c.QueryRow(ctx, `SELECT `+tx.AppColumns+` FROM apps WHERE id = $1 AND NOT deleted`, id))
		return tx.Missing(err, skein.ErrUnknownApp)
	})
	return app, err
}

// Apps lists all apps by id; see store.Apps.
func (s *Store) Apps(ctx context.Context) (apps []skein.App, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, `SELECT `+tx.AppColumns+` FROM apps WHERE NOT deleted ORDER BY id`)
		if err != nil {
			return err
		}
		apps, err = pgx.CollectRows(found, func(r pgx.CollectableRow) (skein.App, error) { return tx.ReadApp(r) })
		return err
	})
	return apps, err
}

// UpdateApp changes an app; see store.Apps.
func (s *Store) UpdateApp(ctx context.Context, id string, change func(*skein.App) error) error {
	return s.db.Write(ctx, id, func(ctx context.Context, t *tx.Tx) error {
		app, err := deedTx{t}.App(ctx, id)
		if err != nil {
			return err
		}
		if err := change(&app); err != nil {
			return err
		}
		app.ID = id
		return deedTx{t}.PutApp(ctx, app)
	})
}

// App implements store.AdminTx.
func (t deedTx) App(ctx context.Context, id string) (skein.App, error) {
	app, err := tx.ReadApp(t.QueryRow(ctx, `SELECT `+tx.AppColumns+` FROM apps WHERE id = $1 AND NOT deleted FOR NO KEY UPDATE`, id))
	return app, tx.Missing(err, skein.ErrUnknownApp)
}

// PutApp implements store.AdminTx.
func (t deedTx) PutApp(ctx context.Context, app skein.App) error {
	row, err := rows.EncodeApp(app)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE apps SET name = $2, keys = $3, token_secret = $4, settings = $5 WHERE id = $1 AND NOT deleted`,
		app.ID, app.Name, row.Keys, app.TokenSecret, row.Settings)
	return err
}

// DeleteApp deletes an app; see store.Apps. Every query reaches the data of an app through
// the app's row, so marking this one row is enough. Purge removes the rest.
func (s *Store) DeleteApp(ctx context.Context, id string) error {
	return s.db.Write(ctx, id, func(ctx context.Context, t *tx.Tx) error { return deedTx{t}.DeleteApp(ctx, id) })
}

// DeleteApp implements store.AdminTx.
func (t deedTx) DeleteApp(ctx context.Context, id string) error {
	done, err := t.Exec(ctx, `UPDATE apps SET deleted = true WHERE id = $1 AND NOT deleted`, id)
	if err == nil && done.RowsAffected() == 0 {
		err = skein.ErrUnknownApp
	}
	if err == nil {
		_, err = t.Exec(ctx, `DELETE FROM webhooks WHERE app_id = $1`, id)
	}
	if err != nil {
		return err
	}
	return t.Event(ctx, store.Entry{Kind: store.EntryAppDeleted, App: id})
}

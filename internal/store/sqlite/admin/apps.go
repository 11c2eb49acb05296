package admin

import (
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// CreateApp adds an app; see store.Apps.
func (s *Store) CreateApp(ctx context.Context, app skein.App) error {
	return tx.Change(ctx, s.db, func(g group) error { return g.CreateApp(ctx, app) })
}

// CreateApp implements store.AdminTx.
func (g group) CreateApp(_ context.Context, app skein.App) error {
	row, err := rows.EncodeApp(app)
	if err != nil {
		return err
	}
	created, err := g.Change(`INSERT INTO apps (id, name, keys, token_secret, settings, created)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING`,
		app.ID, app.Name, engine.RawText(row.Keys), app.TokenSecret, engine.RawText(row.Settings), app.Created)
	if err == nil && !created {
		err = skein.About(skein.ErrConflict, app.ID)
	}
	return err
}

// App is one app; see store.Apps.
func (s *Store) App(ctx context.Context, id string) (app skein.App, err error) {
	err = tx.Caller(ctx, s.db, id, func(c connection) error {
		app, err = c.app(id)
		return err
	})
	return app, err
}

// Apps lists all apps; see store.Apps.
func (s *Store) Apps(ctx context.Context) ([]skein.App, error) {
	var apps []skein.App
	err := tx.Read(ctx, s.db, "", func(c connection) error {
		var broken error
		err := c.Rows(func(r *sqlite3.Stmt) {
			app, err := tx.ReadApp(r)
			broken = errors.Join(broken, err)
			apps = append(apps, app)
		}, `SELECT `+tx.AppColumns+` FROM apps WHERE deleted = 0 ORDER BY id`)
		return errors.Join(err, broken)
	})
	if err != nil {
		return nil, err
	}
	return apps, nil
}

// UpdateApp changes an app; see store.Apps.
func (s *Store) UpdateApp(ctx context.Context, id string, change func(*skein.App) error) error {
	return tx.Change(ctx, s.db, func(g group) error {
		app, err := g.conn().app(id)
		if err != nil {
			return err
		}
		if err := change(&app); err != nil {
			return err
		}
		app.ID = id
		return g.PutApp(ctx, app)
	})
}

// App implements store.AdminTx.
func (g group) App(_ context.Context, id string) (skein.App, error) { return g.conn().app(id) }

// PutApp implements store.AdminTx.
func (g group) PutApp(_ context.Context, app skein.App) error {
	row, err := rows.EncodeApp(app)
	if err != nil {
		return err
	}
	return g.Exec(`UPDATE apps SET name = ?2, keys = ?3, token_secret = ?4, settings = ?5 WHERE id = ?1`,
		app.ID, app.Name, engine.RawText(row.Keys), app.TokenSecret, engine.RawText(row.Settings))
}

// DeleteApp deletes an app; see store.Apps. Every query reaches the data of an app through
// the app's row, so marking this one row is enough. Purge removes the rest.
func (s *Store) DeleteApp(ctx context.Context, id string) error {
	return tx.Change(ctx, s.db, func(g group) error { return g.DeleteApp(ctx, id) })
}

// DeleteApp implements store.AdminTx.
func (g group) DeleteApp(_ context.Context, id string) error {
	deleted, err := g.Change(`UPDATE apps SET deleted = 1 WHERE id = ?1 AND deleted = 0`, id)
	if err == nil && !deleted {
		err = skein.ErrUnknownApp
	}
	if err == nil {
		err = g.Exec(`DELETE FROM webhooks WHERE app_id = ?1`, id)
	}
	if err == nil {
		err = g.Event(store.Entry{Kind: store.EntryAppDeleted, App: id})
	}
	g.Known.Clear()
	return err
}

func (c connection) app(id string) (app skein.App, err error) {
	var broken error
	found, err := c.Row(func(r *sqlite3.Stmt) { app, broken = tx.ReadApp(r) },
		`SELECT `+tx.AppColumns+` FROM apps WHERE id = ?1 AND deleted = 0`, id)
	switch {
	case err != nil:
		return skein.App{}, err
	case !found:
		return skein.App{}, skein.ErrUnknownApp
	}
	return app, broken
}

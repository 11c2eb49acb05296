package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// appKey is the inner key of the living app whose id is ?1, or NULL, which equals
// nothing.
const appKey = `(SELECT app_key FROM apps WHERE id = ?1 AND deleted = 0)`

// CreateApp adds an app; see store.Apps.
func (s *Store) CreateApp(ctx context.Context, app skein.App) error {
	row, err := encodeApp(app)
	if err != nil {
		return err
	}
	return s.change(ctx, func(g *group) error {
		created, err := g.change(`INSERT INTO apps (id, name, keys, token_secret, settings, created)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING`,
			app.ID, app.Name, row.keys, app.TokenSecret, row.settings, app.Created)
		if err == nil && !created {
			err = skein.About(skein.ErrConflict, app.ID)
		}
		return err
	})
}

// App is one app; see store.Apps.
func (s *Store) App(ctx context.Context, id string) (app skein.App, err error) {
	err = s.caller(ctx, id, func(c *connection) error {
		app, err = c.app(id)
		return err
	})
	return app, err
}

// Apps lists all apps; see store.Apps.
func (s *Store) Apps(ctx context.Context) ([]skein.App, error) {
	var apps []skein.App
	err := s.read(ctx, "", func(c *connection) error {
		var broken error
		err := c.rows(func(r *sqlite3.Stmt) {
			app, err := readApp(r)
			broken = errors.Join(broken, err)
			apps = append(apps, app)
		}, `SELECT `+appColumns+` FROM apps WHERE deleted = 0 ORDER BY id`)
		return errors.Join(err, broken)
	})
	if err != nil {
		return nil, err
	}
	return apps, nil
}

// UpdateApp alters an app; see store.Apps.
func (s *Store) UpdateApp(ctx context.Context, id string, change func(*skein.App) error) error {
	return s.change(ctx, func(g *group) error {
		before, err := g.app(id)
		if err != nil {
			return err
		}
		app := before
		if err := change(&app); err != nil {
			return err
		}
		row, err := encodeApp(app)
		if err != nil {
			return err
		}
		return g.exec(`UPDATE apps SET name = ?2, keys = ?3, token_secret = ?4, settings = ?5 WHERE id = ?1`,
			id, app.Name, row.keys, app.TokenSecret, row.settings)
	})
}

// DeleteApp makes an app unknown; see store.Apps. All that is its own is reached
// through the living app alone, so this one row is enough.
func (s *Store) DeleteApp(ctx context.Context, id string) error {
	return s.change(ctx, func(g *group) error {
		deleted, err := g.change(`UPDATE apps SET deleted = 1 WHERE id = ?1 AND deleted = 0`, id)
		if err == nil && !deleted {
			err = skein.ErrUnknownApp
		}
		if err == nil {
			err = g.event(store.Entry{Kind: store.EntryAppDeleted, App: id})
		}
		g.known.clear()
		return err
	})
}

const appColumns = `id, name, keys, token_secret, settings, created`

func (c *connection) app(id string) (app skein.App, err error) {
	var broken error
	found, err := c.row(func(r *sqlite3.Stmt) { app, broken = readApp(r) },
		`SELECT `+appColumns+` FROM apps WHERE id = ?1 AND deleted = 0`, id)
	switch {
	case err != nil:
		return skein.App{}, err
	case !found:
		return skein.App{}, skein.ErrUnknownApp
	}
	return app, broken
}

// knownApp is the key of a living app. Errors: ErrUnknownApp.
func (c *connection) knownApp(id string) (key int64, err error) {
	found, err := c.row(func(r *sqlite3.Stmt) { key = r.ColumnInt64(0) },
		`SELECT app_key FROM apps WHERE id = ?1 AND deleted = 0`, id)
	if err == nil && !found {
		err = skein.ErrUnknownApp
	}
	return key, err
}

// appRow holds the columns that are JSON. Settings are kept under their Go names
// (TestStoredSettings holds them): one that is renamed needs a migration.
type appRow struct{ keys, settings rawText }

// keyRecord is one app key as stored.
type keyRecord struct {
	Name    string       `json:"name"`
	Hash    []byte       `json:"sha256"`
	Created skein.Millis `json:"created"`
	Expires skein.Millis `json:"expires"`
}

func encodeApp(app skein.App) (row appRow, err error) {
	keys := make([]keyRecord, 0, len(app.Keys))
	for _, k := range app.Keys {
		keys = append(keys, keyRecord{k.Name, k.Hash[:], k.Created, k.Expires})
	}
	if row.keys, err = json.Marshal(keys); err != nil {
		return row, fmt.Errorf("encode app keys: %w", err)
	}
	if row.settings, err = json.Marshal(app.Settings); err != nil { //nolint:musttag // the domain has no tags; TestStoredSettings holds the names
		return row, fmt.Errorf("encode app settings: %w", err)
	}
	return row, nil
}

func readApp(r *sqlite3.Stmt) (skein.App, error) {
	app := skein.App{
		ID:          r.ColumnText(0),
		Name:        r.ColumnText(1),
		TokenSecret: bytesOrNil(r, 3),
		Created:     millisColumn(r, 5),
	}
	var keys []keyRecord
	if err := json.Unmarshal(r.ColumnRawText(2), &keys); err != nil {
		return app, fmt.Errorf("decode keys of app %s: %w", app.ID, err)
	}
	for _, k := range keys {
		key := skein.AppKey{Name: k.Name, Created: k.Created, Expires: k.Expires}
		copy(key.Hash[:], k.Hash)
		app.Keys = append(app.Keys, key)
	}
	if err := json.Unmarshal(r.ColumnRawText(4), &app.Settings); err != nil { //nolint:musttag // as above
		return app, fmt.Errorf("decode settings of app %s: %w", app.ID, err)
	}
	return app, nil
}

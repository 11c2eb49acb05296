package tx

import (
	"encoding/json"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// AppKey is the inner key of the living app whose id is ?1, or NULL, which equals
// nothing.
const AppKey = `(SELECT app_key FROM apps WHERE id = ?1 AND deleted = 0)`

// AppColumns are what ReadApp reads, in its order.
const AppColumns = `id, name, keys, token_secret, settings, created`

// KnownApp is the key of a living app. Errors: ErrUnknownApp.
func (c Conn) KnownApp(id string) (key int64, err error) {
	found, err := c.Row(func(r *sqlite3.Stmt) { key = r.ColumnInt64(0) },
		`SELECT app_key FROM apps WHERE id = ?1 AND deleted = 0`, id)
	if err == nil && !found {
		err = skein.ErrUnknownApp
	}
	return key, err
}

// appRow holds the columns that are JSON. Settings are kept under their Go names
// (TestStoredSettings holds them): one that is renamed needs a migration.
type appRow struct{ Keys, Settings engine.RawText }

// keyRecord is one app key as stored.
type keyRecord struct {
	Name    string       `json:"name"`
	Hash    []byte       `json:"sha256"`
	Created skein.Millis `json:"created"`
	Expires skein.Millis `json:"expires"`
}

// EncodeApp makes the columns that are JSON.
func EncodeApp(app skein.App) (row appRow, err error) {
	keys := make([]keyRecord, 0, len(app.Keys))
	for _, k := range app.Keys {
		keys = append(keys, keyRecord{k.Name, k.Hash[:], k.Created, k.Expires})
	}
	if row.Keys, err = json.Marshal(keys); err != nil {
		return row, fmt.Errorf("encode app keys: %w", err)
	}
	if row.Settings, err = json.Marshal(app.Settings); err != nil { //nolint:musttag // the domain has no tags; TestStoredSettings holds the names
		return row, fmt.Errorf("encode app settings: %w", err)
	}
	return row, nil
}

// ReadApp copies one row of AppColumns.
func ReadApp(r *sqlite3.Stmt) (skein.App, error) {
	app := skein.App{
		ID:          r.ColumnText(0),
		Name:        r.ColumnText(1),
		TokenSecret: engine.Bytes(r, 3),
		Created:     engine.Millis(r, 5),
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

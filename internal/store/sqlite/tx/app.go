package tx

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
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

// ReadApp copies one row of AppColumns.
func ReadApp(r *sqlite3.Stmt) (skein.App, error) {
	app := skein.App{
		ID:          r.ColumnText(0),
		Name:        r.ColumnText(1),
		TokenSecret: engine.Bytes(r, 3),
		Created:     engine.Millis(r, 5),
	}
	err := rows.App{Keys: r.ColumnRawText(2), Settings: r.ColumnRawText(4)}.Decode(&app)
	return app, err
}

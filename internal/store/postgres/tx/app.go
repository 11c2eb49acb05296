package tx

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
)

// AppKey is SQL for the inner key of the living app whose id is $1, or NULL, which equals
// nothing.
const AppKey = `(SELECT app_key FROM apps WHERE id = $1 AND NOT deleted)`

// AppColumns are what ReadApp reads, in its order.
const AppColumns = `id, name, keys, token_secret, settings, created`

// ReadApp reads one row of AppColumns.
func ReadApp(row pgx.Row) (app skein.App, err error) {
	var keys, settings []byte
	if err := row.Scan(&app.ID, &app.Name, &keys, &app.TokenSecret, &settings, &app.Created); err != nil {
		return app, err
	}
	return app, rows.App{Keys: keys, Settings: settings}.Decode(&app)
}

// KnownApp is the key of a living app. Errors: ErrUnknownApp.
func (c Conn) KnownApp(ctx context.Context, id string) (key int64, err error) {
	err = c.QueryRow(ctx, `SELECT app_key FROM apps WHERE id = $1 AND NOT deleted`, id).Scan(&key)
	return key, Missing(err, skein.ErrUnknownApp)
}

// Missing is what stands for "no such row" in an error.
func Missing(err, as error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return as
	}
	return err
}

// Found reports whether a query of one row found it.
func Found(err error) (bool, error) {
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// ClientColumns are what ReadClient reads, in its order.
const ClientColumns = `id, ext, created, updated, banned_until, ban_reason, cut, device_cuts, deleted, seen, add_by, rev, incarnation`

// ReadClient reads one row of ClientColumns, and more columns behind them.
func ReadClient(row pgx.Row, app string, more ...any) (c skein.Client, err error) {
	var cuts []byte
	c.App = app
	err = row.Scan(append([]any{
		&c.ID, &c.Ext, &c.Created, &c.Updated, &c.BannedUntil, &c.BanReason, &c.Cut, &cuts, &c.Deleted, &c.Seen, &c.AddBy, &c.Rev, &c.Incarnation,
	}, more...)...)
	c.DeviceCuts = rows.DecodeCuts(cuts)
	return c, err
}

// Sender is what a message needs to know about its sender.
type Sender struct {
	BannedUntil skein.Millis
	Incarnation int64
}

// Sender is a living client. Errors: ErrUnknownClient as a Fault.
func (c Conn) Sender(ctx context.Context, app, client string) (s Sender, err error) {
	err = c.QueryRow(ctx, `SELECT banned_until, incarnation FROM clients WHERE app_key = `+AppKey+` AND id = $2 AND NOT deleted`,
		app, client).Scan(&s.BannedUntil, &s.Incarnation)
	return s, Missing(err, skein.About(skein.ErrUnknownClient, client))
}

package admin

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// AddUsage adds what a node counted; see store.Usage. It locks usage before keys, and the rows of each in
// the order of app_key, so two nodes wait for each other and never in a circle.
func (s *Store) AddUsage(ctx context.Context, r store.UsageReport) ([]store.UsedToday, error) {
	return tx.Result(ctx, s.db, "", func(ctx context.Context, t *tx.Tx) ([]store.UsedToday, error) {
		all := make([]store.UsedToday, len(r.Apps))
		used, err := addUsage(ctx, t.Conn, r)
		if err == nil && len(r.Keys) > 0 {
			err = addKeyUses(ctx, t.Conn, r.Keys)
		}
		for i, a := range r.Apps {
			all[i] = used[a.App]
		}
		return all, err
	})
}

func addKeyUses(ctx context.Context, c tx.Conn, keys []store.KeyUse) error {
	apps, names, at := make([]string, len(keys)), make([]string, len(keys)), make([]skein.Millis, len(keys))
	for i, k := range keys {
		apps[i], names[i], at[i] = k.App, k.Name, k.At
	}
	_, err := c.Exec(ctx, `INSERT INTO key_uses AS k (app_key, name, at)
		SELECT a.app_key, u.name, u.at FROM unnest($1::text[], $2::text[], $3::bigint[]) u(app, name, at)
			JOIN apps a ON a.id = u.app AND NOT a.deleted ORDER BY a.app_key, u.name
		ON CONFLICT (app_key, name) DO UPDATE SET at = greatest(k.at, excluded.at)`, apps, names, at)
	return err
}

func addUsage(ctx context.Context, c tx.Conn, r store.UsageReport) (map[string]store.UsedToday, error) {
	n := len(r.Apps)
	if n == 0 {
		return nil, nil //nolint:nilnil // no app has used anything
	}
	apps, messages, deliveries, connections := make([]string, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i, a := range r.Apps {
		apps[i], messages[i], deliveries[i], connections[i] = a.App, a.Messages, a.Deliveries, a.Connections
	}
	found, err := c.Query(ctx, `WITH added AS (
			INSERT INTO app_usage AS t (app_key, day, messages, deliveries, storage, peak, minute, connections)
			SELECT a.app_key, $2, u.messages, u.deliveries, coalesce((SELECT s.bytes FROM storage s WHERE s.app_key = a.app_key), 0), u.connections, $3, u.connections
				FROM unnest($1::text[], $4::bigint[], $5::bigint[], $6::bigint[]) u(app, messages, deliveries, connections)
				JOIN apps a ON a.id = u.app AND NOT a.deleted ORDER BY a.app_key
			ON CONFLICT (app_key, day) DO UPDATE SET
				messages = t.messages + excluded.messages, deliveries = t.deliveries + excluded.deliveries, storage = excluded.storage,
				peak = greatest(t.peak, CASE WHEN excluded.minute = t.minute THEN t.connections ELSE 0 END + excluded.connections),
				connections = CASE WHEN excluded.minute < t.minute THEN t.connections WHEN excluded.minute = t.minute THEN t.connections + excluded.connections ELSE excluded.connections END,
				minute = greatest(t.minute, excluded.minute)
			RETURNING *)
		SELECT a.id, t.day, t.messages, t.deliveries, t.peak, t.storage, t.warned FROM added t JOIN apps a ON a.app_key = t.app_key`,
		apps, int64(r.Day), r.Minute, messages, deliveries, connections)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	used := make(map[string]store.UsedToday, n)
	for found.Next() {
		var app string
		var u store.UsedToday
		if err := found.Scan(&app, &u.Day, &u.Messages, &u.Deliveries, &u.Connections, &u.StorageBytes, &u.Warned); err != nil {
			return nil, err
		}
		used[app] = u
	}
	return used, found.Err()
}

// Usage lists days; see store.Usage.
func (s *Store) Usage(ctx context.Context, app string, first, last skein.Day) (days []skein.Usage, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, `SELECT day, messages, deliveries, peak, storage FROM app_usage
			WHERE app_key = `+tx.AppKey+` AND day BETWEEN $2 AND $3 ORDER BY day`, app, int64(first), int64(last))
		if err != nil {
			return err
		}
		days, err = pgx.CollectRows(found, func(r pgx.CollectableRow) (u skein.Usage, err error) {
			return u, r.Scan(&u.Day, &u.Messages, &u.Deliveries, &u.Connections, &u.StorageBytes)
		})
		return err
	})
	return days, err
}

// KeyUses reads when keys were used; see store.Usage.
func (s *Store) KeyUses(ctx context.Context, app string) (uses map[string]skein.Millis, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, `SELECT name, at FROM key_uses WHERE app_key = `+tx.AppKey, app)
		if err != nil {
			return err
		}
		defer found.Close()
		uses = map[string]skein.Millis{}
		for found.Next() {
			var name string
			var at skein.Millis
			if err := found.Scan(&name, &at); err != nil {
				return err
			}
			uses[name] = at
		}
		return found.Err()
	})
	return uses, err
}

// WarnOfQuota commits a warning; see store.Usage.
func (s *Store) WarnOfQuota(ctx context.Context, app string, w skein.QuotaWarning) error {
	return s.db.Write(ctx, app, func(ctx context.Context, t *tx.Tx) error {
		key, err := t.KnownApp(ctx, app)
		if err != nil {
			return err
		}
		day, bit, err := rows.WarnedOn(w, t.Now)
		if err != nil {
			return err
		}
		done, err := t.Exec(ctx, `INSERT INTO app_usage AS t (app_key, day, warned) VALUES ($1, $2, $3)
			ON CONFLICT (app_key, day) DO UPDATE SET warned = t.warned | excluded.warned WHERE t.warned & excluded.warned = 0`, key, int64(day), bit)
		if err != nil || done.RowsAffected() == 0 {
			return err
		}
		return t.Event(ctx, store.Entry{Kind: store.EntryQuotaWarning, App: app, Warning: &w})
	})
}

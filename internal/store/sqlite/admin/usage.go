package admin

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// AddUsage adds what a node counted; see store.Usage.
func (s *Store) AddUsage(ctx context.Context, r store.UsageReport) ([]store.UsedToday, error) {
	n := len(r.Apps) + len(r.Keys)
	return tx.Write(ctx, s.db, tx.Job{Bytes: tx.SmallJob + 64*n, Rows: n}, func(g group) ([]store.UsedToday, error) {
		used := make([]store.UsedToday, len(r.Apps))
		for i, a := range r.Apps {
			if err := g.addUsage(r, a, &used[i]); err != nil {
				return nil, err
			}
		}
		for _, k := range r.Keys {
			if err := g.Exec(`INSERT INTO key_uses (app_key, name, at) SELECT app_key, ?2, ?3 FROM apps WHERE id = ?1 AND deleted = 0
				ON CONFLICT (app_key, name) DO UPDATE SET at = max(at, excluded.at)`, k.App, k.Name, k.At); err != nil {
				return nil, err
			}
		}
		return used, nil
	})
}

func (g group) addUsage(r store.UsageReport, a store.AppUsage, used *store.UsedToday) error {
	_, err := g.Row(func(row *sqlite3.Stmt) {
		used.Usage = readUsage(row)
		used.Warned = uint8(row.ColumnInt64(5))
	}, `INSERT INTO app_usage (app_key, day, messages, deliveries, storage, peak, minute, connections)
		SELECT a.app_key, ?2, ?3, ?4, coalesce((SELECT s.bytes FROM storage s WHERE s.app_key = a.app_key), 0), ?5, ?6, ?5
			FROM apps a WHERE a.id = ?1 AND a.deleted = 0
		ON CONFLICT (app_key, day) DO UPDATE SET
			messages = messages + excluded.messages, deliveries = deliveries + excluded.deliveries, storage = excluded.storage,
			peak = max(peak, iif(excluded.minute = minute, connections, 0) + excluded.connections),
			connections = iif(excluded.minute < minute, connections, iif(excluded.minute = minute, connections, 0) + excluded.connections),
			minute = max(minute, excluded.minute)
		RETURNING day, messages, deliveries, peak, storage, warned`,
		a.App, int64(r.Day), a.Messages, a.Deliveries, a.Connections, r.Minute)
	return err
}

// readUsage reads day, messages, deliveries, peak, storage.
func readUsage(r *sqlite3.Stmt) skein.Usage {
	return skein.Usage{
		Day:      skein.Day(r.ColumnInt64(0)),
		Messages: r.ColumnInt64(1), Deliveries: r.ColumnInt64(2), Connections: r.ColumnInt64(3), StorageBytes: r.ColumnInt64(4),
	}
}

// Usage lists days; see store.Usage.
func (s *Store) Usage(ctx context.Context, app string, first, last skein.Day) (days []skein.Usage, err error) {
	err = tx.Read(ctx, s.db, app, func(c connection) error {
		days = nil
		return c.Rows(func(r *sqlite3.Stmt) { days = append(days, readUsage(r)) },
			`SELECT day, messages, deliveries, peak, storage FROM app_usage WHERE app_key = `+tx.AppKey+` AND day BETWEEN ?2 AND ?3 ORDER BY day`,
			app, int64(first), int64(last))
	})
	return days, err
}

// KeyUses reads when keys were used; see store.Usage.
func (s *Store) KeyUses(ctx context.Context, app string) (uses map[string]skein.Millis, err error) {
	err = tx.Read(ctx, s.db, app, func(c connection) error {
		uses = map[string]skein.Millis{}
		return c.Rows(func(r *sqlite3.Stmt) { uses[r.ColumnText(0)] = engine.Millis(r, 1) },
			`SELECT name, at FROM key_uses WHERE app_key = `+tx.AppKey, app)
	})
	return uses, err
}

// WarnOfQuota commits a warning; see store.Usage.
func (s *Store) WarnOfQuota(ctx context.Context, app string, w skein.QuotaWarning) error {
	return tx.ChangeOf(ctx, s.db, app, func(g group) error {
		key, err := g.KnownApp(app)
		if err != nil {
			return err
		}
		day, bit, err := rows.WarnedOn(w, g.Now)
		if err != nil {
			return err
		}
		first, err := g.Change(`INSERT INTO app_usage (app_key, day, warned) VALUES (?1, ?2, ?3)
			ON CONFLICT (app_key, day) DO UPDATE SET warned = warned | excluded.warned WHERE warned & excluded.warned = 0`, key, int64(day), bit)
		if err != nil || !first {
			return err
		}
		return g.Event(store.Entry{Kind: store.EntryQuotaWarning, App: app, Warning: &w})
	})
}

package feed

import (
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// KeepWebhooks stores what was done for endpoints; see store.Webhooks.
func (s *Store) KeepWebhooks(ctx context.Context, l store.Lease, done []store.WebhookWork) error {
	return tx.Change(ctx, s.db, func(g group) error {
		held, err := g.Row(nil, `SELECT 1 FROM leases WHERE name = ?1 AND fence = ?2`, l.Name, l.Fence)
		if err == nil && (!held || !s.leases.holds(l)) {
			err = store.ErrLeaseLost
		}
		for i := 0; i < len(done) && err == nil; i++ {
			err = g.keepWebhook(done[i])
		}
		return err
	})
}

func (g group) keepWebhook(w store.WebhookWork) error {
	known, err := g.Change(`UPDATE webhooks SET place = ?2, failing = ?3 WHERE id = ?1`, w.ID, rows.PlaceOf(w.Cursor), w.Failing)
	if err != nil || !known {
		return err
	}
	if w.Disable != "" {
		err = g.Exec(`UPDATE webhooks SET enabled = 0, reason = ?2, rev = rev + 1 WHERE id = ?1 AND rev = ?3`, w.ID, w.Disable, w.Rev)
	}
	for _, seq := range w.Remove {
		err = errors.Join(err, g.Exec(`DELETE FROM webhook_failures WHERE webhook_id = ?1 AND seq = ?2`, w.ID, seq))
	}
	for _, f := range w.Put {
		entries, broken := rows.EncodeEntries(f.Entries)
		err = errors.Join(err, broken, g.Exec(`INSERT OR REPLACE INTO webhook_failures (webhook_id, seq, delivery_id, entries, attempts, first, due, dead, status, error)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
			w.ID, f.Seq, f.ID, engine.RawText(entries), f.Attempts, f.First, f.Due, f.Dead, f.Status, f.Error))
	}
	for _, a := range w.Attempts {
		events, broken := rows.EncodeHookEvents(a.Events)
		err = errors.Join(err, broken, g.Exec(`INSERT INTO webhook_attempts (webhook_id, seq, at, delivery_id, attempt, url, events, bytes, status, millis, answer, error)
			VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM webhook_attempts WHERE webhook_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`,
			w.ID, a.At, a.ID, a.Attempt, a.URL, engine.RawText(events), a.Bytes, a.Status, a.Millis, append([]byte{}, a.Answer...), a.Error))
	}
	return err
}

// FailedDeliveries lists failed deliveries; see store.Webhooks.
func (s *Store) FailedDeliveries(ctx context.Context, webhook string, q store.FailedQuery) (all []store.FailedDelivery, err error) {
	sql := `SELECT seq, delivery_id, entries, attempts, first, due, dead, status, error FROM webhook_failures
		WHERE webhook_id = ?1 AND dead = 0 AND seq > ?2 ORDER BY seq LIMIT ?3`
	if q.Dead {
		sql = `SELECT seq, delivery_id, entries, attempts, first, due, dead, status, error FROM webhook_failures
			WHERE webhook_id = ?1 AND dead > 0 AND seq > ?2 ORDER BY seq LIMIT ?3`
	}
	err = tx.Read(ctx, s.db, "", func(c connection) error {
		all = nil
		var broken error
		err := c.Rows(func(r *sqlite3.Stmt) {
			f := store.FailedDelivery{
				Seq: r.ColumnInt64(0), ID: r.ColumnText(1), Attempts: int(r.ColumnInt64(3)), First: engine.Millis(r, 4), Due: engine.Millis(r, 5),
				Dead: engine.Millis(r, 6), Status: int(r.ColumnInt64(7)), Error: r.ColumnText(8),
			}
			entries, err := rows.DecodeEntries(r.ColumnRawText(2))
			f.Entries, broken = entries, errors.Join(broken, err)
			all = append(all, f)
		}, sql, webhook, q.After, q.Limit)
		return errors.Join(err, broken)
	})
	return all, err
}

// WebhookAttempts reads the log of an endpoint; see store.Webhooks.
func (s *Store) WebhookAttempts(ctx context.Context, webhook string, before int64, limit int) (all []store.WebhookAttempt, err error) {
	err = tx.Read(ctx, s.db, "", func(c connection) error {
		all = nil
		var broken error
		err := c.Rows(func(r *sqlite3.Stmt) {
			a := store.WebhookAttempt{
				Seq: r.ColumnInt64(0), At: engine.Millis(r, 1), ID: r.ColumnText(2), Attempt: int(r.ColumnInt64(3)), URL: r.ColumnText(4), Bytes: int(r.ColumnInt64(6)),
				Status: int(r.ColumnInt64(7)), Millis: r.ColumnInt64(8), Answer: engine.Bytes(r, 9), Error: r.ColumnText(10),
			}
			events, err := rows.DecodeHookEvents(r.ColumnRawText(5))
			a.Events, broken = events, errors.Join(broken, err)
			all = append(all, a)
		}, `SELECT seq, at, delivery_id, attempt, url, events, bytes, status, millis, answer, error FROM webhook_attempts
			WHERE webhook_id = ?1 AND (?2 = 0 OR seq < ?2) ORDER BY seq DESC LIMIT ?3`, webhook, before, limit)
		return errors.Join(err, broken)
	})
	return all, err
}

// CommitEvents commits entries; see store.Webhooks.
func (s *Store) CommitEvents(ctx context.Context, app string, entries []store.Entry) error {
	return tx.ChangeOf(ctx, s.db, app, func(g group) error {
		_, err := g.KnownApp(app)
		for i := 0; i < len(entries) && err == nil; i++ {
			err = g.Event(entries[i])
		}
		return err
	})
}

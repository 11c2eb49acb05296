package feed

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// KeepWebhooks stores what was done for endpoints; see store.Webhooks. The lock of the lease's row
// keeps another node from taking the lease meanwhile.
func (s *Store) KeepWebhooks(ctx context.Context, l store.Lease, done []store.WebhookWork) error {
	return s.db.Write(ctx, "", func(ctx context.Context, t *tx.Tx) error {
		held, err := tx.Found(t.QueryRow(ctx, `SELECT 1 FROM leases WHERE name = $1 AND fence = $2 AND node <> '' FOR SHARE`, l.Name, l.Fence).Scan(nil))
		if err != nil {
			return err
		}
		if !held {
			return store.ErrLeaseLost
		}
		q := new(pgx.Batch)
		for _, w := range done {
			if err := keepWebhook(q, w); err != nil {
				return err
			}
		}
		return t.SendBatch(ctx, q).Close()
	})
}

// keepWebhook queues what was done for an endpoint. Each statement passes over one that is gone.
func keepWebhook(q *pgx.Batch, w store.WebhookWork) error {
	q.Queue(`UPDATE webhooks SET place = $2, failing = $3 WHERE id = $1`, w.ID, rows.PlaceOf(w.Cursor), w.Failing)
	if w.Disable != "" {
		q.Queue(`UPDATE webhooks SET enabled = false, reason = $2, rev = rev + 1 WHERE id = $1 AND rev = $3`, w.ID, w.Disable, w.Rev)
	}
	if len(w.Remove) > 0 {
		q.Queue(`DELETE FROM webhook_failures WHERE webhook_id = $1 AND seq = ANY ($2)`, w.ID, w.Remove)
	}
	for _, f := range w.Put {
		entries, err := rows.EncodeEntries(f.Entries)
		if err != nil {
			return err
		}
		q.Queue(`INSERT INTO webhook_failures (webhook_id, seq, delivery_id, entries, attempts, first, due, dead, status, error)
			SELECT id, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM webhooks WHERE id = $1
			ON CONFLICT (webhook_id, seq) DO UPDATE SET delivery_id = excluded.delivery_id, entries = excluded.entries, attempts = excluded.attempts,
				first = excluded.first, due = excluded.due, dead = excluded.dead, status = excluded.status, error = excluded.error`,
			w.ID, f.Seq, f.ID, entries, f.Attempts, f.First, f.Due, f.Dead, f.Status, f.Error)
	}
	for _, a := range w.Attempts {
		events, err := rows.EncodeHookEvents(a.Events)
		if err != nil {
			return err
		}
		q.Queue(`INSERT INTO webhook_attempts (webhook_id, seq, at, delivery_id, attempt, url, events, bytes, status, millis, answer, error)
			SELECT id, (SELECT coalesce(max(seq), 0) + 1 FROM webhook_attempts WHERE webhook_id = $1), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM webhooks WHERE id = $1`,
			w.ID, a.At, a.ID, a.Attempt, a.URL, events, a.Bytes, a.Status, a.Millis, append([]byte{}, a.Answer...), a.Error)
	}
	return nil
}

// FailedDeliveries lists failed deliveries; see store.Webhooks.
func (s *Store) FailedDeliveries(ctx context.Context, webhook string, q store.FailedQuery) (all []store.FailedDelivery, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, `SELECT seq, delivery_id, entries, attempts, first, due, dead, status, error FROM webhook_failures
			WHERE webhook_id = $1 AND (dead > 0) = $2 AND seq > $3 ORDER BY seq LIMIT $4`, webhook, q.Dead, q.After, q.Limit)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(found, func(r pgx.CollectableRow) (f store.FailedDelivery, err error) {
			var entries []byte
			if err := r.Scan(&f.Seq, &f.ID, &entries, &f.Attempts, &f.First, &f.Due, &f.Dead, &f.Status, &f.Error); err != nil {
				return f, err
			}
			f.Entries, err = rows.DecodeEntries(entries)
			return f, err
		})
		return err
	})
	return all, err
}

// WebhookAttempts reads the log of an endpoint; see store.Webhooks.
func (s *Store) WebhookAttempts(ctx context.Context, webhook string, before int64, limit int) (all []store.WebhookAttempt, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, `SELECT seq, at, delivery_id, attempt, url, events, bytes, status, millis, answer, error FROM webhook_attempts
			WHERE webhook_id = $1 AND ($2 = 0 OR seq < $2) ORDER BY seq DESC LIMIT $3`, webhook, before, limit)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(found, func(r pgx.CollectableRow) (a store.WebhookAttempt, err error) {
			var events []byte
			if err := r.Scan(&a.Seq, &a.At, &a.ID, &a.Attempt, &a.URL, &events, &a.Bytes, &a.Status, &a.Millis, &a.Answer, &a.Error); err != nil {
				return a, err
			}
			a.Events, err = rows.DecodeHookEvents(events)
			return a, err
		})
		return err
	})
	return all, err
}

// CommitEvents commits entries; see store.Webhooks.
func (s *Store) CommitEvents(ctx context.Context, app string, entries []store.Entry) error {
	return s.db.Write(ctx, app, func(ctx context.Context, t *tx.Tx) error {
		if _, err := t.KnownApp(ctx, app); err != nil {
			return err
		}
		return t.Event(ctx, entries...)
	})
}

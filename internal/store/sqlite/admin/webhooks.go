package admin

import (
	"context"
	"math"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Webhooks lists endpoints; see store.Webhooks.
func (s *Store) Webhooks(ctx context.Context, app string) (all []store.Endpoint, err error) {
	err = tx.Snapshot(ctx, s.db, app, func(c connection) error {
		all, err = c.webhooks(app)
		return err
	})
	return all, err
}

// Webhooks implements store.WebhookTx.
func (g group) Webhooks(_ context.Context, app string) ([]store.Endpoint, error) {
	if _, err := g.conn().app(app); err != nil {
		return nil, err
	}
	return g.conn().webhooks(app)
}

// webhooksOf lists the endpoints of the apps from ?1 to ?2.
const webhooksOf = `SELECT w.id, w.app_id, w.settings, w.secrets, w.enabled, w.reason, w.created, w.rev, w.replays, w.failing, w.place,
	(SELECT count(*) FROM webhook_failures f WHERE f.webhook_id = w.id AND f.dead > 0),
	(SELECT coalesce(max(f.seq), 0) FROM webhook_failures f WHERE f.webhook_id = w.id), (SELECT epoch FROM history)
	FROM webhooks w CROSS JOIN apps a ON a.id = w.app_id WHERE a.deleted = 0 AND w.app_id BETWEEN ?1 AND ?2 ORDER BY w.app_id, w.created, w.id`

func (c connection) webhooks(app string) (all []store.Endpoint, err error) {
	last := app
	if app == "" {
		last = "~" // behind every id of an app
	}
	var broken error
	err = c.Rows(func(r *sqlite3.Stmt) {
		e := store.Endpoint{
			Webhook: skein.Webhook{
				ID: r.ColumnText(0), App: r.ColumnText(1), Enabled: r.ColumnInt64(4) != 0, Reason: r.ColumnText(5), Created: engine.Millis(r, 6), Rev: r.ColumnInt64(7),
			},
			Replays: r.ColumnInt64(8), Failing: engine.Millis(r, 9), Cursor: rows.CursorAt(r.ColumnInt64(13), r.ColumnText(10)),
			Dead: int(r.ColumnInt64(11)), Failed: r.ColumnInt64(12),
		}
		if err := (rows.Webhook{Settings: r.ColumnRawText(2), Secrets: r.ColumnRawText(3)}).Decode(&e.Webhook); err != nil {
			broken = err
		}
		all = append(all, e)
	}, webhooksOf, app, last)
	if err == nil {
		err = broken
	}
	return all, err
}

// PutWebhook implements store.WebhookTx.
func (g group) PutWebhook(_ context.Context, w skein.Webhook, at store.FeedCursor, move bool) error {
	row, err := rows.EncodeWebhook(w)
	if err != nil {
		return err
	}
	return g.Exec(`INSERT INTO webhooks (id, app_id, settings, secrets, enabled, reason, created, rev, place) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
		ON CONFLICT (id) DO UPDATE SET settings = excluded.settings, secrets = excluded.secrets, enabled = excluded.enabled, reason = excluded.reason, rev = excluded.rev,
			failing = CASE WHEN excluded.enabled > enabled THEN 0 ELSE failing END, place = CASE WHEN ?10 THEN excluded.place ELSE place END`,
		w.ID, w.App, engine.RawText(row.Settings), engine.RawText(row.Secrets), w.Enabled, w.Reason, w.Created, w.Rev, rows.PlaceOf(at), move)
}

// RemoveWebhook implements store.WebhookTx. What it leaves behind nobody finds, and goes with age.
func (g group) RemoveWebhook(_ context.Context, id string) error {
	return g.Exec(`DELETE FROM webhooks WHERE id = ?1`, id)
}

// ReplayFailed implements store.WebhookTx.
func (g group) ReplayFailed(_ context.Context, webhook string, r store.Replay) (int, error) {
	if r.Until == 0 {
		r.Until = math.MaxInt64
	}
	n, err := g.Changes(`UPDATE webhook_failures SET dead = 0, attempts = 0, first = ?5, due = ?5 WHERE webhook_id = ?1 AND seq IN
		(SELECT seq FROM webhook_failures WHERE webhook_id = ?1 AND dead > 0 AND seq BETWEEN ?2 AND ?3 AND dead >= ?4 ORDER BY seq LIMIT ?6)`,
		webhook, r.From, r.Until, r.Since, g.Now, r.Limit)
	if err == nil && n > 0 {
		err = g.Exec(`UPDATE webhooks SET replays = replays + 1 WHERE id = ?1`, webhook)
	}
	return int(n), err
}

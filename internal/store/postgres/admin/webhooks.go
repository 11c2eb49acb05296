package admin

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// Webhooks lists endpoints; see store.Webhooks.
func (s *Store) Webhooks(ctx context.Context, app string) (all []store.Endpoint, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		all, err = webhooks(ctx, c, app)
		return err
	})
	return all, err
}

// Webhooks implements store.WebhookTx. It locks the app's row, so that nobody else adds an endpoint.
func (t deedTx) Webhooks(ctx context.Context, app string) ([]store.Endpoint, error) {
	if _, err := t.App(ctx, app); err != nil {
		return nil, err
	}
	return webhooks(ctx, t.Conn, app)
}

// webhooksOf lists the endpoints of one app, or of all if $1 is empty.
const webhooksOf = `SELECT w.id, w.app_id, w.settings, w.secrets, w.enabled, w.reason, w.created, w.rev, w.replays, w.failing, w.place,
	(SELECT count(*) FROM webhook_failures f WHERE f.webhook_id = w.id AND f.dead > 0),
	(SELECT coalesce(max(f.seq), 0) FROM webhook_failures f WHERE f.webhook_id = w.id), ` + tx.EpochColumns + `
	FROM webhooks w JOIN apps a ON a.id = w.app_id WHERE NOT a.deleted AND ($1 = '' OR w.app_id = $1) ORDER BY w.app_id, w.created, w.id`

func webhooks(ctx context.Context, c tx.Conn, app string) ([]store.Endpoint, error) {
	found, err := c.Query(ctx, webhooksOf, app)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(r pgx.CollectableRow) (e store.Endpoint, err error) {
		var row rows.Webhook
		var place string
		epoch, err := tx.ReadEpoch(r, &e.ID, &e.App, &row.Settings, &row.Secrets, &e.Enabled, &e.Reason, &e.Created, &e.Rev, &e.Replays, &e.Failing, &place, &e.Dead, &e.Failed)
		if err != nil {
			return e, err
		}
		e.Cursor = rows.CursorAt(epoch, place)
		return e, row.Decode(&e.Webhook)
	})
}

// PutWebhook implements store.WebhookTx.
func (t deedTx) PutWebhook(ctx context.Context, w skein.Webhook, at store.FeedCursor, move bool) error {
	row, err := rows.EncodeWebhook(w)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `INSERT INTO webhooks AS w (id, app_id, settings, secrets, enabled, reason, created, rev, place) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET settings = excluded.settings, secrets = excluded.secrets, enabled = excluded.enabled, reason = excluded.reason, rev = excluded.rev,
			failing = CASE WHEN excluded.enabled AND NOT w.enabled THEN 0 ELSE w.failing END, place = CASE WHEN $10 THEN excluded.place ELSE w.place END`,
		w.ID, w.App, row.Settings, row.Secrets, w.Enabled, w.Reason, w.Created, w.Rev, rows.PlaceOf(at), move)
	return err
}

// RemoveWebhook implements store.WebhookTx. What it leaves behind nobody finds, and goes with age.
func (t deedTx) RemoveWebhook(ctx context.Context, id string) error {
	_, err := t.Exec(ctx, `DELETE FROM webhooks WHERE id = $1`, id)
	return err
}

// ReplayFailed implements store.WebhookTx.
func (t deedTx) ReplayFailed(ctx context.Context, webhook string, r store.Replay) (int, error) {
	if r.Until == 0 {
		r.Until = math.MaxInt64
	}
	done, err := t.Exec(ctx, `UPDATE webhook_failures SET dead = 0, attempts = 0, first = $5, due = $5 WHERE webhook_id = $1 AND seq IN
		(SELECT seq FROM webhook_failures WHERE webhook_id = $1 AND dead > 0 AND seq BETWEEN $2 AND $3 AND dead >= $4 ORDER BY seq LIMIT $6)`,
		webhook, r.From, r.Until, r.Since, t.Now, r.Limit)
	if err == nil && done.RowsAffected() > 0 {
		_, err = t.Exec(ctx, `UPDATE webhooks SET replays = replays + 1 WHERE id = $1`, webhook)
	}
	return int(done.RowsAffected()), err
}

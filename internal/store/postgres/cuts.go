package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// noteCuts records for CutsSince which logins a change to a client ended.
func noteCuts(ctx context.Context, t *tx.Tx, app int64, cuts []skein.Cut) error {
	if len(cuts) == 0 {
		return nil
	}
	devices, reasons := make([]string, len(cuts)), make([]string, len(cuts))
	for i, cut := range cuts {
		devices[i], reasons[i] = cut.Device, cut.Reason
	}
	_, err := t.Exec(ctx, `INSERT INTO cuts (xid, app_key, client_id, device_id, reason, rev, at)
		SELECT `+tx.Stamp+`, $1, $2, u.device, u.reason, $5, $6 FROM unnest($3::text[], $4::text[]) WITH ORDINALITY u(device, reason, n) ORDER BY u.n`,
		app, cuts[0].Client, devices, reasons, cuts[0].Rev, t.Now)
	return err
}

// CutsSince lists the cuts that ended logins; see store.Clients. A watermark is a stamp: every
// cut with a smaller one was told, and no transaction that is open or comes later will have a
// smaller one. So cuts of transactions at or above the horizon wait for the next call.
func (s *Store) CutsSince(ctx context.Context, after store.Watermark, limit int) (cuts []skein.Cut, next store.Watermark, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		// The horizon is read first: what is below it is over when the cuts are read.
		var horizon store.Watermark
		if err := c.QueryRow(ctx, `SELECT `+tx.Horizon).Scan(&horizon); err != nil {
			return err
		}
		if next = max(after, horizon); after == 0 {
			return nil
		}
		var place cutPlace
		if cuts, place, err = cutsBehind(ctx, c, cutsSince, int64(after), int64(horizon), limit); err != nil || len(cuts) < limit {
			return err
		}
		// The page is full, but a watermark may not lie inside a transaction.
		rest, _, err := cutsBehind(ctx, c, cutsOfXid, place.xid, place.key)
		cuts = append(cuts, rest...)
		next = store.Watermark(place.xid + 1)
		return err
	})
	if err != nil {
		return nil, after, err
	}
	return cuts, next, nil
}

// cutPlace is where a cut stands among all.
type cutPlace struct{ xid, key int64 }

// cutsBehind reads cuts, and where the last one stands.
func cutsBehind(ctx context.Context, c tx.Conn, sql string, args ...any) (cuts []skein.Cut, last cutPlace, err error) {
	found, err := c.Query(ctx, sql, args...)
	cuts, err = collect(found, err, func(r pgx.CollectableRow) (cut skein.Cut, err error) {
		return cut, r.Scan(&last.xid, &last.key, &cut.App, &cut.Client, &cut.Device, &cut.Reason, &cut.Rev)
	})
	return cuts, last, err
}

const (
	cutColumns = `SELECT c.xid, c.cut_key, a.id, c.client_id, c.device_id, c.reason, c.rev FROM cuts c JOIN apps a ON a.app_key = c.app_key `
	cutsSince  = cutColumns + `WHERE c.xid >= $1 AND c.xid < $2 ORDER BY c.xid, c.cut_key LIMIT $3`
	cutsOfXid  = cutColumns + `WHERE c.xid = $1 AND c.cut_key > $2 ORDER BY c.xid, c.cut_key`
)

package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// noteCuts records for CutsSince which logins a change to a client ended.
func (g group) noteCuts(before, after skein.Client) error {
	for _, cut := range skein.CutsBetween(before, after) {
		if err := g.Exec(`INSERT INTO cuts (app_key, client_id, device_id, reason, rev, at) VALUES (`+tx.AppKey+`, ?2, ?3, ?4, ?5, ?6)`,
			cut.App, cut.Client, cut.Device, cut.Reason, cut.Rev, g.Now); err != nil {
			return err
		}
	}
	return nil
}

// CutsSince lists the cuts that ended logins; see store.Clients. A watermark is the key of
// the next cut: the only writer commits cuts in the order of their keys.
func (s *Store) CutsSince(ctx context.Context, after store.Watermark, limit int) (cuts []skein.Cut, next store.Watermark, err error) {
	err = tx.Read(ctx, s.db, "", func(c connection) error {
		if next = after; after == 0 {
			_, err := c.Row(func(r *sqlite3.Stmt) { next = store.Watermark(r.ColumnInt64(0)) },
				`SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'cuts'`)
			return err
		}
		return c.Rows(func(r *sqlite3.Stmt) {
			next = store.Watermark(r.ColumnInt64(0) + 1)
			cuts = append(cuts, skein.Cut{
				App: r.ColumnText(1), Client: r.ColumnText(2), Device: r.ColumnText(3), Reason: r.ColumnText(4), Rev: r.ColumnInt64(5),
			})
		}, cutsSince, int64(after), limit)
	})
	if err != nil {
		return nil, after, err
	}
	return cuts, next, nil
}

const cutsSince = `SELECT c.cut_key, a.id, c.client_id, c.device_id, c.reason, c.rev
	FROM cuts c CROSS JOIN apps a ON a.app_key = c.app_key WHERE c.cut_key >= ?1 ORDER BY c.cut_key LIMIT ?2`

// forgetCuts removes some cuts that are older than store.CutsKept.
func (p *purge) forgetCuts() error {
	n, err := p.Changes(`DELETE FROM cuts WHERE cut_key IN (SELECT cut_key FROM cuts ORDER BY cut_key LIMIT ?2) AND at < ?1`, p.cutHorizon(), p.left)
	p.left -= int(n)
	return err
}

// oldCuts reports whether forgetCuts has something to remove.
func (p *purge) oldCuts() (found bool, err error) {
	_, err = p.Row(func(r *sqlite3.Stmt) { found = engine.Millis(r, 0) < p.cutHorizon() }, `SELECT at FROM cuts ORDER BY cut_key LIMIT 1`)
	return found, err
}

// cutHorizon is the moment before which cuts are forgotten.
func (p *purge) cutHorizon() skein.Millis { return p.now.Add(-store.CutsKept) }

package messages

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// hide deletes a message for one client.
func (t transaction) hide(ctx context.Context, conv int64, m *subject, c skein.Change) (bool, error) {
	if c.By == "" {
		return false, skein.Missing("client_id")
	}
	m.hidden = true
	return t.changes(ctx, `INSERT INTO hidden (conv_key, client_id, seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, conv, c.By, m.Seq)
}

// hiders are the clients that deleted a message for themselves.
func (c connection) hiders(ctx context.Context, conv, seq int64) ([]string, error) {
	return c.texts(ctx, `SELECT client_id FROM hidden WHERE conv_key = $1 AND seq = $2`, conv, seq)
}

// Hidden lists which clients deleted which messages for themselves; see store.Changes.
func (s *Store) Hidden(ctx context.Context, app string, conv skein.ID, after int64) (hidden []skein.Hiding, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, `SELECT client_id, seq FROM hidden WHERE conv_key = (`+tx.LivingConvKey+`) AND seq > $4`, app, conv, c.Now, after)
		if err != nil {
			return err
		}
		hidden, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (h skein.Hiding, err error) {
			return h, row.Scan(&h.Client, &h.Seq)
		})
		return err
	})
	return hidden, err
}

// texts are the rows of a query of one column.
func (c connection) texts(ctx context.Context, sql string, args ...any) ([]string, error) {
	found, err := c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(found, pgx.RowTo[string])
	if len(all) == 0 {
		return nil, err
	}
	return all, err
}

// exists reports whether a query finds a row; it must ask for a number.
func (c connection) exists(ctx context.Context, sql string, args ...any) (bool, error) {
	var n int64
	return tx.Found(c.QueryRow(ctx, sql, args...).Scan(&n))
}

// changes runs a statement and reports whether it changed a row.
func (t transaction) changes(ctx context.Context, sql string, args ...any) (bool, error) {
	tag, err := t.Exec(ctx, sql, args...)
	return tag.RowsAffected() > 0, err
}

package messages

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// pin pins or unpins a message. A new pin is later than all earlier ones, even if the clock
// was set back.
func (t transaction) pin(ctx context.Context, conv int64, m *subject, c skein.Change) (bool, error) {
	if c.On == (m.Pinned != 0) {
		return false, nil
	}
	if err := m.mustBeNormal(); err != nil {
		return false, err
	}
	m.Pinned = 0
	if !c.On {
		return true, nil
	}
	var newest skein.Millis
	err := t.QueryRow(ctx, `SELECT coalesce(max(pinned), 0) FROM messages WHERE conv_key = $1 AND pinned > 0`, conv).Scan(&newest)
	m.Pinned = max(c.At, newest+1)
	return true, err
}

// Pins lists the pinned messages; see store.Changes.
func (s *Store) Pins(ctx context.Context, app string, conv skein.ID, viewer string) (pins []skein.Message, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, `SELECT `+tx.MessageColumns+`, `+tx.HiddenFrom+`$4) FROM messages m
			WHERE m.conv_key = (`+tx.LivingConvKey+`) AND m.pinned > 0 ORDER BY m.pinned DESC`, app, conv, c.Now, viewer)
		if err != nil {
			return err
		}
		pins, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (skein.Message, error) { return tx.ReadSeen(row, conv) })
		return err
	})
	return pins, err
}

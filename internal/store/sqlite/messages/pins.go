package messages

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// pin pins or unpins a message. A new pin is later than all earlier ones, even if the clock
// was set back.
func (g group) pin(conv int64, m *subject, c skein.Change) (bool, error) {
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
	_, err := g.Row(func(r *sqlite3.Stmt) { m.Pinned = max(c.At, engine.Millis(r, 0)+1) },
		`SELECT coalesce(max(pinned), 0) FROM messages WHERE conv_key = ?1 AND pinned > 0`, conv)
	return true, err
}

// Pins lists the pinned messages; see store.Changes.
func (s *Store) Pins(ctx context.Context, app string, conv skein.ID, viewer string) (pins []skein.Message, err error) {
	now := s.db.Millis()
	err = tx.Read(ctx, s.db, app, func(c connection) error {
		return c.Rows(func(r *sqlite3.Stmt) { pins = append(pins, tx.ReadSeen(r, conv)) },
			pinned, app, conv, now, viewer)
	})
	if err != nil {
		return nil, err
	}
	return pins, nil
}

const pinned = `SELECT ` + tx.MessageColumns + `, ` + tx.HiddenFrom + `?4) FROM messages m
	WHERE conv_key = (` + tx.LivingConvKey + `) AND pinned > 0 ORDER BY pinned DESC`

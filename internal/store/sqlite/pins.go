package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// pin sets or takes away the pin. A pin is newer than all pins before it, whatever
// the clock says.
func (g *group) pin(conv int64, m *subject, c skein.Change) (bool, error) {
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
	_, err := g.row(func(r *sqlite3.Stmt) { m.Pinned = max(c.At, millisColumn(r, 0)+1) },
		`SELECT coalesce(max(pinned), 0) FROM messages WHERE conv_key = ?1 AND pinned > 0`, conv)
	return true, err
}

// Pins lists the pinned messages; see store.Changes.
func (s *Store) Pins(ctx context.Context, app string, conv skein.ID, viewer string) (pins []skein.Message, err error) {
	now := s.millis()
	err = s.read(ctx, app, func(c *connection) error {
		return c.rows(func(r *sqlite3.Stmt) { pins = append(pins, readSeen(r, conv)) },
			pinned, app, conv, now, viewer)
	})
	if err != nil {
		return nil, err
	}
	return pins, nil
}

const pinned = `SELECT ` + messageColumns + `, ` + hiddenFrom + `?4) FROM messages m
	WHERE conv_key = (` + livingConvKey + `) AND pinned > 0 ORDER BY pinned DESC`

package messages

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// hide deletes a message for one client.
func (g group) hide(conv int64, m *subject, c skein.Change) (bool, error) {
	if c.By == "" {
		return false, skein.Missing("client_id")
	}
	m.hidden = true
	return g.Change(`INSERT INTO hidden (conv_key, client_id, seq) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`,
		conv, c.By, m.Seq)
}

// hiders are the clients that deleted a message for themselves.
func (c connection) hiders(conv, seq int64) (clients []string, err error) {
	err = c.Rows(func(r *sqlite3.Stmt) { clients = append(clients, r.ColumnText(0)) },
		hiders, conv, seq)
	return clients, err
}

const hiders = `SELECT client_id FROM hidden INDEXED BY hidden_by_message WHERE conv_key = ?1 AND seq = ?2`

// Hidden lists which clients deleted which messages for themselves; see store.Changes.
func (s *Store) Hidden(ctx context.Context, app string, conv skein.ID, after int64) (hidden []skein.Hiding, err error) {
	now := s.db.Millis()
	err = tx.Read(ctx, s.db, app, func(c connection) error {
		return c.Rows(func(r *sqlite3.Stmt) {
			hidden = append(hidden, skein.Hiding{Client: r.ColumnText(0), Seq: r.ColumnInt64(1)})
		}, hiddenAfter, app, conv, now, after)
	})
	if err != nil {
		return nil, err
	}
	return hidden, nil
}

const hiddenAfter = `SELECT client_id, seq FROM hidden INDEXED BY hidden_by_message
	WHERE conv_key = (` + tx.LivingConvKey + `) AND seq > ?4`

// blankHidden blanks the messages of a page that the viewer deleted for itself. One index
// lookup finds them; most often there are none.
func (c connection) blankHidden(app string, conv skein.ID, now skein.Millis, viewer string, page []skein.Message) error {
	if viewer == "" || len(page) == 0 {
		return nil
	}
	first, last := page[0].Seq, page[len(page)-1].Seq
	if first > last {
		first, last = last, first
	}
	var hidden map[int64]bool
	err := c.Rows(func(r *sqlite3.Stmt) {
		if hidden == nil {
			hidden = make(map[int64]bool)
		}
		hidden[r.ColumnInt64(0)] = true
	}, hiddenBetween, app, conv, now, viewer, first, last)
	if err != nil {
		return err
	}
	for i := range page {
		if hidden[page[i].Seq] {
			page[i].Blank(skein.StatusDeleted)
		}
	}
	return nil
}

const hiddenBetween = `SELECT seq FROM hidden
	WHERE conv_key = (` + tx.LivingConvKey + `) AND client_id = ?4 AND seq >= ?5 AND seq <= ?6`

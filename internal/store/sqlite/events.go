package sqlite

import (
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// keepMessageKey records the newest message key before messages are removed. Otherwise
// NextMessage would give that key again after a restart, and a reader of the feed that is
// already past the key would miss the new message.
func (p *purge) keepMessageKey() error {
	next, err := p.NextMessage()
	if err != nil {
		return err
	}
	return p.Exec(`UPDATE history SET message_key = ?1 WHERE message_key < ?1`, next-1)
}

// forgetEvents removes the oldest events that are older than store.EventDays. The newest
// event stays, so that its key is never given again.
func (p *purge) forgetEvents() error {
	last, n := int64(0), 0
	old := true
	err := p.Rows(func(r *sqlite3.Stmt) {
		if old = old && engine.Millis(r, 1) < p.eventHorizon(); old {
			last = r.ColumnInt64(0)
			n++
		}
	}, `SELECT event_key, at FROM events WHERE event_key < (SELECT max(event_key) FROM events) ORDER BY event_key LIMIT ?1`, p.left)
	if err != nil {
		return err
	}
	p.left -= n
	return p.Exec(`DELETE FROM events WHERE event_key <= ?1`, last)
}

// oldEvents reports whether forgetEvents has something to remove.
func (p *purge) oldEvents() (found bool, err error) {
	_, err = p.Row(func(r *sqlite3.Stmt) { found = engine.Millis(r, 0) < p.eventHorizon() },
		`SELECT at FROM events WHERE event_key < (SELECT max(event_key) FROM events) ORDER BY event_key LIMIT 1`)
	return found, err
}

// eventHorizon is the moment before which events are forgotten.
func (p *purge) eventHorizon() skein.Millis {
	return p.now.Add(-store.EventDays * 24 * time.Hour)
}

package sqlite

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/rows"
)

// memberDepartures turns the first ?2 members of the deleted conversation ?1 into
// departures. They get the stamp of its deletion, so a client that has synced the deletion
// does not get it again. A deleted app needs no departures, because nobody can sync there.
const memberDepartures = `INSERT OR REPLACE INTO departures (app_key, client_id, conv_id, conv_key, moved)
	SELECT m.app_key, m.client_id, c.id, c.conv_key, c.moved
	FROM members m CROSS JOIN conversations c ON c.conv_key = m.conv_key CROSS JOIN apps a ON a.app_key = c.app_key
	WHERE m.member_key IN (` + firstMembers + `) AND a.deleted = 0`

const firstMembers = `SELECT member_key FROM members WHERE conv_key = ?1 ORDER BY member_key LIMIT ?2`

// forgetDepartures removes some departures that are older than rows.DepartureDays. It records
// the newest stamp removed: a sync cursor from before that stamp begins anew.
func (p *purge) forgetDepartures() error {
	var last int64
	n := 0
	err := p.Rows(func(r *sqlite3.Stmt) {
		last = r.ColumnInt64(0)
		n++
	}, `SELECT moved FROM departures WHERE moved < ?1 ORDER BY moved LIMIT ?2`, p.horizon(), p.left)
	if err != nil {
		return err
	}
	if err := p.Exec(`UPDATE history SET forgotten = max(forgotten, ?1)`, last); err != nil {
		return err
	}
	p.left -= n
	return p.Exec(`DELETE FROM departures WHERE (app_key, client_id, conv_id) IN
		(SELECT app_key, client_id, conv_id FROM departures WHERE moved <= ?1 ORDER BY moved LIMIT ?2)`, last, n)
}

// oldDepartures reports whether forgetDepartures has something to remove.
func (p *purge) oldDepartures() (found bool, err error) {
	return p.Row(nil, `SELECT 1 FROM departures WHERE moved < ?1 LIMIT 1`, p.horizon())
}

// horizon is the stamp before which departures are forgotten.
func (p *purge) horizon() int64 { return p.now.Time().AddDate(0, 0, -rows.DepartureDays).UnixMicro() }

package sqlite

import (
	"github.com/ncruces/go-sqlite3"
)

// departureDays is how long it is remembered that a client is in a conversation
// no more. A sync cursor from before that begins anew.
const departureDays = 90

// memberDepartures are the first ?2 members of dead conversation ?1 as departures.
// They keep the stamp of its deletion, so whoever heard of that is not told again.
// Nobody asks about a dead app any more.
const memberDepartures = `INSERT OR REPLACE INTO departures (app_key, client_id, conv_id, conv_key, moved)
	SELECT m.app_key, m.client_id, c.id, c.conv_key, c.moved
	FROM members m CROSS JOIN conversations c ON c.conv_key = m.conv_key CROSS JOIN apps a ON a.app_key = c.app_key
	WHERE m.member_key IN (` + firstMembers + `) AND a.deleted = 0`

const firstMembers = `SELECT member_key FROM members WHERE conv_key = ?1 ORDER BY member_key LIMIT ?2`

// forgetDepartures removes some departures that are too old to be remembered and
// writes down up to which stamp there may be none. It reports whether there were.
func (p *purge) forgetDepartures() (found bool, err error) {
	var last int64
	n := 0
	err = p.Rows(func(r *sqlite3.Stmt) {
		last = r.ColumnInt64(0)
		n++
	}, `SELECT moved FROM departures WHERE moved < ?1 ORDER BY moved LIMIT ?2`, p.horizon(), p.left)
	if err != nil || n == 0 {
		return false, err
	}
	if err := p.Exec(`UPDATE history SET forgotten = max(forgotten, ?1)`, last); err != nil {
		return false, err
	}
	p.left -= n
	return true, p.Exec(`DELETE FROM departures WHERE (app_key, client_id, conv_id) IN
		(SELECT app_key, client_id, conv_id FROM departures WHERE moved <= ?1 ORDER BY moved LIMIT ?2)`, last, n)
}

func (p *purge) oldDepartures() (found bool, err error) {
	return p.Row(nil, `SELECT 1 FROM departures WHERE moved < ?1 LIMIT 1`, p.horizon())
}

// horizon is the stamp before which departures are forgotten.
func (p *purge) horizon() int64 { return p.now.Time().AddDate(0, 0, -departureDays).UnixMicro() }

package query

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// search is the FROM and WHERE of a query over conversations c.
type search struct {
	tx.Filter

	from  string
	looks bool // must read rows: no index has all the columns of its conditions
}

// newSearch finds the conversations of an app that meet where, only those of member if one is
// given.
func newSearch(app, member string, where []skein.Condition, now skein.Millis) search {
	s := search{from: `conversations c`, looks: member != "" || len(where) > 0}
	if member == "" {
		// Start from the conversations of the client in an "is a member" condition.
		member, where = rows.TakeMember(where)
	}
	const key = `(SELECT app_key FROM apps WHERE id = ? AND deleted = 0)`
	if member != "" {
		// CROSS JOIN fixes the join order: a client is in few conversations, an app has many.
		s.from = `members m INDEXED BY members_by_client CROSS JOIN conversations c ON c.conv_key = m.conv_key`
		s.And(`m.app_key = `+key+` AND m.client_id = ?`, app, member)
	} else {
		s.And(`c.app_key = `+key, app)
	}
	s.meets(where, now)
	return s
}

// meets adds the condition that conversations exist and meet where.
func (s *search) meets(where []skein.Condition, now skein.Millis) {
	s.And(`c.deleted = 0 AND c.expires > ?`, now)
	for _, cond := range where {
		sql, args := term(cond)
		s.And(sql, args...)
	}
}

// after leaves out the listing up to a position in it.
func (s *search) after(at skein.Cursor) {
	s.And(`c.period <= ? AND (c.active, c.conv_key) < (?, ?)`, rows.PeriodOf(skein.Millis(at.Sort)), at.Sort, at.Tie)
}

package query

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
)

// search is the FROM and WHERE of a query over conversations c. Its terms are constant texts;
// what comes from outside is an argument.
type search struct {
	from  string
	terms []string
	args  []any
}

// newSearch finds the conversations of an app that meet where, only those of member if one is
// given.
func newSearch(app, member string, where []skein.Condition, now skein.Millis) *search {
	s := &search{from: `conversations c`}
	if member == "" {
		// Start from the conversations of the client in an "is a member" condition.
		member, where = rows.TakeMember(where)
	}
	key := s.livingApp(app)
	if member != "" {
		// The planner does not look into a subquery with an OFFSET. It would otherwise read the
		// conversations of the whole app, and hold each against the client's few memberships.
		s.from = `(SELECT conv_key FROM members WHERE app_key = ` + key + ` AND client_id = ` + s.arg(member) + ` OFFSET 0) m
			CROSS JOIN LATERAL (SELECT * FROM conversations WHERE conv_key = m.conv_key OFFSET 0) c`
	} else {
		// Only with the second condition the index of listings is used.
		s.and(`c.app_key = ` + key + ` AND c.period < 9007199254740991`)
	}
	s.meets(app, where, now)
	return s
}

// livingApp is the inner key of a living app.
func (s *search) livingApp(app string) string {
	return `(SELECT app_key FROM apps WHERE id = ` + s.arg(app) + `::text AND NOT deleted)`
}

// meets adds the condition that conversations exist and meet where.
func (s *search) meets(app string, where []skein.Condition, now skein.Millis) {
	s.and(`c.deleted = 0 AND c.expires > ` + s.arg(int64(now)) + `::bigint`)
	json := false
	for _, cond := range where {
		s.and(s.term(app, cond))
		json = json || cond.Field == skein.FieldExtend
	}
	if json { // parsed once a conversation, however many conditions look into it
		s.from += ` CROSS JOIN LATERAL (SELECT json_or_null(c.extend) AS extend OFFSET 0) j`
	}
}

// after leaves out the listing up to a position in it.
func (s *search) after(place skein.Cursor) {
	sort, tie := s.arg(place.Sort), s.arg(place.Tie)
	s.and(`c.period <= ` + sort + `::bigint >> 10 AND (c.active, c.conv_key) < (` + sort + `::bigint, ` + tie + `::bigint)`)
}

// and adds a term.
func (s *search) and(term string) { s.terms = append(s.terms, term) }

// arg adds an argument and returns its name in SQL.
func (s *search) arg(v any) string {
	s.args = append(s.args, v)
	return fmt.Sprintf("$%d", len(s.args))
}

// sql is a query of columns of the conversations found. more is what follows the WHERE.
func (s *search) sql(columns, more string) string {
	return `SELECT ` + columns + ` FROM ` + s.from + ` WHERE (` + strings.Join(s.terms, ") AND (") + `)` + more
}

// with are the arguments of a query, and how to run it: its text is made of the conditions, so
// it is not worth preparing.
func (s *search) with() []any { return append([]any{pgx.QueryExecModeExec}, s.args...) }

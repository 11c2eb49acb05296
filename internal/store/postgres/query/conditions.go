package query

import (
	"strconv"
	"strings"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
)

// never and always are terms that do not depend on the row.
const (
	never  = "false"
	always = "true"
)

// orders are the operators that compare with one value and have an SQL word.
var orders = map[skein.Operator]string{
	skein.Eq: "=", skein.Gt: ">", skein.Ge: ">=", skein.Lt: "<", skein.Le: "<=",
}

// term turns a condition on conversations c into SQL. Ne and NotIn are the exact negations of
// Eq and In.
func (s *search) term(app string, cond skein.Condition) string {
	switch cond.Op {
	case skein.Ne:
		return "(" + s.positive(app, cond, skein.Eq) + ") IS NOT TRUE"
	case skein.NotIn:
		return "(" + s.positive(app, cond, skein.In) + ") IS NOT TRUE"
	case skein.Exists:
		sql := s.presence(cond)
		if len(cond.Values) == 1 && cond.Values[0] == false {
			sql = "(" + sql + ") IS NOT TRUE"
		}
		return sql
	default:
		return s.positive(app, cond, cond.Op)
	}
}

// positive is the condition with an operator that does not negate.
func (s *search) positive(app string, cond skein.Condition, op skein.Operator) string {
	switch cond.Field {
	case skein.FieldConvID:
		return s.compare("c.id", "uuid", op, ids(cond.Values))
	case skein.FieldCreator:
		return s.compare(`c.creator COLLATE "C"`, "text", op, rows.StringValues(cond.Values))
	case skein.FieldType:
		return s.compare("c.type", "numeric", op, numbers(cond.Values))
	case skein.FieldMembers:
		return s.compare("c.member_count", "numeric", op, numbers(cond.Values))
	case skein.FieldCreated:
		return s.moments("c.created", op, cond.Values)
	case skein.FieldUpdated:
		return "c.updated <> 0 AND (" + s.moments("c.updated", op, cond.Values) + ")"
	case skein.FieldMember:
		return s.member(app, op, rows.StringValues(cond.Values))
	case skein.FieldExtend:
		return s.extend(cond, op)
	default:
		return never
	}
}

// presence is the SQL that checks whether the field exists.
func (s *search) presence(cond skein.Condition) string {
	switch cond.Field {
	case skein.FieldConvID, skein.FieldType, skein.FieldMembers, skein.FieldCreated:
		return always
	case skein.FieldCreator:
		return "c.creator <> ''"
	case skein.FieldUpdated:
		return "c.updated <> 0"
	case skein.FieldMember:
		return "c.member_count > 0"
	case skein.FieldExtend:
		if len(cond.Path) == 0 {
			return never
		}
		return s.value(cond.Path) + " IS NOT NULL"
	default:
		return never
	}
}

// compare compares a column by In or an operator of orders with values, which are texts of a
// type. Without values nothing matches.
func (s *search) compare(column, kind string, op skein.Operator, values []string) string {
	word, ordered := orders[op]
	switch {
	case len(values) == 0:
		return never
	case op == skein.In:
		return column + " = ANY (" + s.arg(values) + "::text[]::" + kind + "[])"
	case ordered:
		return column + " " + word + " " + s.arg(values[0]) + "::text::" + kind
	default:
		return never
	}
}

// moments is compare for a column of Unix milliseconds; values may be spans too.
func (s *search) moments(column string, op skein.Operator, values []any) string {
	sql := s.compare(column, "numeric", op, numbers(values))
	at := func(t skein.Millis) string { return s.arg(int64(t)) + "::bigint" }
	for _, v := range values {
		span, ok := v.(skein.Span)
		if !ok {
			continue
		}
		switch op {
		case skein.Lt:
			sql = column + " < " + at(span.From)
		case skein.Le:
			sql = column + " < " + at(span.Until)
		case skein.Gt:
			sql = column + " >= " + at(span.Until)
		case skein.Ge:
			sql = column + " >= " + at(span.From)
		default:
			sql += " OR " + column + " >= " + at(span.From) + " AND " + column + " < " + at(span.Until)
		}
	}
	return sql
}

// member checks whether one of the clients is a member. Clients have no order, so only Eq and
// In can match.
func (s *search) member(app string, op skein.Operator, clients []string) string {
	if len(clients) == 0 || op != skein.Eq && op != skein.In {
		return never
	}
	return `EXISTS (SELECT FROM members x WHERE x.conv_key = c.conv_key AND x.app_key = ` + s.livingApp(app) +
		` AND x.client_id = ANY (` + s.arg(clients) + `::text[]))`
}

// value is the JSON value at a path of conv_extend; NULL: there is none. An extend that is not
// JSON has no values, nor has what a list holds.
func (s *search) value(path []string) string {
	sql := "j.extend"
	for _, key := range path {
		sql = "(" + sql + " -> " + s.arg(key) + "::text)"
	}
	return sql
}

// extend compares the value at a path with values of its own kind: numbers with numbers,
// strings with strings, booleans for equality alone.
func (s *search) extend(cond skein.Condition, op skein.Operator) string {
	texts, decimals, bools := rows.StringValues(cond.Values), numbers(cond.Values), []bool(nil)
	for _, v := range cond.Values {
		if b, ok := v.(bool); ok && (op == skein.Eq || op == skein.In) {
			bools = append(bools, b)
		}
	}
	if len(cond.Path) == 0 || len(texts)+len(decimals)+len(bools) == 0 {
		return never // before the path becomes an argument: PostgreSQL wants each of them used
	}
	value := s.value(cond.Path)
	var terms []string
	if len(texts) > 0 {
		terms = append(terms, "jsonb_typeof("+value+") = 'string' AND "+s.compare("("+value+` #>> '{}') COLLATE "C"`, "text", op, texts))
	}
	if len(decimals) > 0 {
		terms = append(terms, s.compare("CASE jsonb_typeof("+value+") WHEN 'number' THEN ("+value+")::numeric END", "numeric", op, decimals))
	}
	for _, b := range bools {
		terms = append(terms, value+" = '"+strconv.FormatBool(b)+"'::jsonb")
	}
	return strings.Join(terms, " OR ")
}

// numbers are the values that are numbers, in decimal: PostgreSQL compares those exactly.
func numbers(values []any) (decimals []string) {
	for _, v := range rows.NumberValues(values) {
		switch n := v.(type) {
		case int64:
			decimals = append(decimals, strconv.FormatInt(n, 10))
		case float64:
			decimals = append(decimals, strconv.FormatFloat(n, 'g', -1, 64))
		}
	}
	return decimals
}

// ids are the values that are ids.
func ids(values []any) (all []string) {
	for _, id := range rows.IDValues(values) {
		all = append(all, id.String())
	}
	return all
}

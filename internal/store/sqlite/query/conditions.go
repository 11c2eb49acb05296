package query

import (
	"strings"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// never and always are terms that do not depend on the row.
const (
	never  = "0"
	always = "1"
)

// orders are the operators that compare with one value and have an SQL word.
var orders = map[skein.Operator]string{
	skein.Eq: "=", skein.Gt: ">", skein.Ge: ">=", skein.Lt: "<", skein.Le: "<=",
}

// term turns a condition on conversations c into SQL and the values of its parameters. Ne and
// NotIn are the exact negations of Eq and In.
func term(cond skein.Condition) (string, []any) {
	switch cond.Op {
	case skein.Ne:
		sql, args := positive(cond, skein.Eq)
		return "(" + sql + ") IS NOT TRUE", args
	case skein.NotIn:
		sql, args := positive(cond, skein.In)
		return "(" + sql + ") IS NOT TRUE", args
	case skein.Exists:
		sql, args := presence(cond)
		if len(cond.Values) == 1 && cond.Values[0] == false {
			sql = "(" + sql + ") IS NOT TRUE"
		}
		return sql, args
	default:
		return positive(cond, cond.Op)
	}
}

// positive is the condition with an operator that does not negate.
func positive(cond skein.Condition, op skein.Operator) (string, []any) {
	switch cond.Field {
	case skein.FieldConvID:
		return compare("c.id", op, tx.Anys(rows.IDValues(cond.Values)))
	case skein.FieldCreator:
		return compare("c.creator", op, tx.Anys(rows.StringValues(cond.Values)))
	case skein.FieldType:
		return compare("c.type", op, rows.NumberValues(cond.Values))
	case skein.FieldMembers:
		return compare("c.member_count", op, rows.NumberValues(cond.Values))
	case skein.FieldCreated:
		return moments("c.created", op, cond.Values)
	case skein.FieldUpdated:
		sql, args := moments("c.updated", op, cond.Values)
		return "c.updated <> 0 AND (" + sql + ")", args
	case skein.FieldMember:
		return memberTerm(op, tx.Anys(rows.StringValues(cond.Values)))
	case skein.FieldExtend:
		return extendTerm(cond, op)
	default:
		return never, nil
	}
}

// presence is the SQL that checks whether the field exists.
func presence(cond skein.Condition) (string, []any) {
	switch cond.Field {
	case skein.FieldConvID, skein.FieldType, skein.FieldMembers, skein.FieldCreated:
		return always, nil
	case skein.FieldCreator:
		return "c.creator <> ''", nil
	case skein.FieldUpdated:
		return "c.updated <> 0", nil
	case skein.FieldMember:
		return "c.member_count > 0", nil
	case skein.FieldExtend:
		path, ok := jsonPath(cond.Path)
		if !ok {
			return never, nil
		}
		return jsonKind + " IS NOT NULL", []any{path}
	default:
		return never, nil
	}
}

// compare compares a column by In or an operator of orders with values of the column's own
// kind. Without values nothing matches.
func compare(column string, op skein.Operator, values []any) (string, []any) {
	switch {
	case len(values) == 0:
		return never, nil
	case op == skein.In:
		return column + " IN (" + tx.Marks(len(values)) + ")", values
	default:
		word, ok := orders[op]
		if !ok {
			return never, nil
		}
		return column + " " + word + " ?", values[:1]
	}
}

// moments is compare for a column of Unix milliseconds; values may be spans too.
func moments(column string, op skein.Operator, values []any) (string, []any) {
	sql, args := compare(column, op, rows.NumberValues(values))
	for _, v := range values {
		span, ok := v.(skein.Span)
		if !ok {
			continue
		}
		switch op {
		case skein.Lt:
			sql, args = column+" < ?", append(args, span.From)
		case skein.Le:
			sql, args = column+" < ?", append(args, span.Until)
		case skein.Gt:
			sql, args = column+" >= ?", append(args, span.Until)
		case skein.Ge:
			sql, args = column+" >= ?", append(args, span.From)
		default:
			sql, args = sql+" OR "+column+" >= ? AND "+column+" < ?", append(args, span.From, span.Until)
		}
	}
	return sql, args
}

// memberTerm checks whether one of the clients is a member. Clients have no order, so only Eq
// and In can match.
func memberTerm(op skein.Operator, clients []any) (string, []any) {
	if len(clients) == 0 || op != skein.Eq && op != skein.In {
		return never, nil
	}
	return "EXISTS (SELECT 1 FROM members x WHERE x.conv_key = c.conv_key AND x.client_id IN (" +
		tx.Marks(len(clients)) + "))", clients
}

// The kind and the value at a path of conv_extend. An extend that is not JSON has no values.
// Each ? is the path.
const (
	jsonKind  = "CASE WHEN json_valid(c.extend) THEN json_type(c.extend, ?) END"
	jsonValue = "json_extract(c.extend, ?)"
)

// extendTerm compares the value at a path with values of its own kind: numbers
// with numbers, strings with strings, booleans for equality alone.
func extendTerm(cond skein.Condition, op skein.Operator) (string, []any) {
	path, ok := jsonPath(cond.Path)
	if !ok {
		return never, nil
	}
	var terms []string
	var args []any
	add := func(kinds string, values []any) {
		if len(values) == 0 {
			return
		}
		sql, bound := compare(jsonValue, op, values)
		terms = append(terms, "("+jsonKind+" IN ("+kinds+") AND "+sql+")")
		args = append(args, path)
		if sql != never {
			args = append(args, path)
		}
		args = append(args, bound...)
	}
	add("'text'", tx.Anys(rows.StringValues(cond.Values)))
	add("'integer', 'real'", rows.NumberValues(cond.Values))
	if op == skein.Eq || op == skein.In {
		for _, v := range cond.Values {
			if b, ok := v.(bool); ok {
				terms = append(terms, jsonKind+" = ?")
				args = append(args, path, boolKind(b))
			}
		}
	}
	if len(terms) == 0 {
		return never, nil
	}
	return strings.Join(terms, " OR "), args
}

func boolKind(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// jsonPath is a path of object keys in SQLite's syntax: $."a"."b". ok is false for a key that
// the syntax cannot express; nothing matches it.
func jsonPath(keys []string) (path string, ok bool) {
	if len(keys) == 0 {
		return "", false
	}
	var b strings.Builder
	b.WriteString("$")
	for _, key := range keys {
		if strings.ContainsAny(key, "\"\\\x00") {
			return "", false
		}
		b.WriteString(`."` + key + `"`)
	}
	return b.String(), true
}

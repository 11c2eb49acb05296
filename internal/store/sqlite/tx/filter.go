package tx

import (
	"strings"
)

// Filter is a growing WHERE: terms joined by AND, and the values of their ?s.
// Terms are constant texts; input from outside must be a value.
type Filter struct {
	terms []string
	Args  []any
}

// And adds a term and the values of its ?s.
func (f *Filter) And(term string, args ...any) {
	f.terms = append(f.terms, term)
	f.Args = append(f.Args, args...)
}

// SQL is the condition.
func (f *Filter) SQL() string {
	if len(f.terms) == 0 {
		return "1"
	}
	return "(" + strings.Join(f.terms, ") AND (") + ")"
}

// Marks is n question marks in a list.
func Marks(n int) string {
	return strings.TrimSuffix(strings.Repeat("?,", n), ",")
}

// Anys are the values as arguments.
func Anys[T any](values []T) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

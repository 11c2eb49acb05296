package sqlite

import "strings"

// filter is a growing WHERE: terms joined by AND, and the values of their ?s.
// Terms are texts of this package; whatever comes from outside is a value.
type filter struct {
	terms []string
	args  []any
}

func (f *filter) and(term string, args ...any) {
	f.terms = append(f.terms, term)
	f.args = append(f.args, args...)
}

func (f *filter) sql() string {
	if len(f.terms) == 0 {
		return "1"
	}
	return "(" + strings.Join(f.terms, ") AND (") + ")"
}

// marks is n question marks in a list.
func marks(n int) string {
	return strings.TrimSuffix(strings.Repeat("?,", n), ",")
}

func anys[T any](values []T) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

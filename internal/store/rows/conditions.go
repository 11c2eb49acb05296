package rows

import (
	"slices"

	"github.com/skein-im/skein"
)

// TakeMember removes the first "is a member" condition from where and returns its client: a
// search begins with that client's conversations.
func TakeMember(where []skein.Condition) (member string, rest []skein.Condition) {
	for i, cond := range where {
		if cond.Field != skein.FieldMember || cond.Op != skein.Eq || len(cond.Values) != 1 {
			continue
		}
		if client, ok := cond.Values[0].(string); ok && client != "" {
			return client, slices.Concat(where[:i], where[i+1:])
		}
	}
	return "", where
}

// IDValues are the values of a condition that are ids; other values match nothing.
func IDValues(values []any) (ids []skein.ID) {
	for _, v := range values {
		if s, ok := v.(string); ok {
			if id, err := skein.ParseID(s); err == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// StringValues are the values of a condition that are strings.
func StringValues(values []any) (strings []string) {
	for _, v := range values {
		if s, ok := v.(string); ok {
			strings = append(strings, s)
		}
	}
	return strings
}

// NumberValues are the values of a condition that are numbers: int64 or float64.
func NumberValues(values []any) (numbers []any) {
	for _, v := range values {
		switch v.(type) {
		case int64, float64:
			numbers = append(numbers, v)
		}
	}
	return numbers
}

// Bounds of one transaction of UpdateConversations, in rows and in bytes of conversations:
// about 3 ms of SQLite's writer.
const (
	updateRows  = 100
	updateBytes = 256 << 10
)

// UpdatedRows is how many rows UpdateConversations writes for each conversation that gets this
// Extend: each file that it names is looked up and recorded.
func UpdatedRows(extend []byte) int { return 2 + 2*len(skein.UploadsIn(extend)) }

// UpdatedAtOnce is how many conversations UpdateConversations gives this Extend in one
// transaction.
func UpdatedAtOnce(extend []byte) int {
	return max(1, min(updateRows/UpdatedRows(extend), updateBytes/max(len(extend), 1)))
}

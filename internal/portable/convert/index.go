package convert

import (
	"bytes"
	"maps"
	"slices"

	"github.com/skein-im/skein"
)

// index knows when each conversation was created. It needs 24 bytes a conversation.
type index struct {
	entries []entry
}

type entry struct {
	id skein.ID
	at int64
}

// add adds a conversation. The caller adds them in the order of their ids.
func (x *index) add(id skein.ID, created int64) { x.entries = append(x.entries, entry{id, created}) }

func (x *index) created(id skein.ID) (at int64, known bool) {
	i, known := slices.BinarySearchFunc(x.entries, id, func(e entry, id skein.ID) int { return bytes.Compare(e.id[:], id[:]) })
	if !known {
		return 0, false
	}
	return x.entries[i].at, true
}

// sortedIDs returns the keys of a map in order.
func sortedIDs(m map[skein.ID]Line) []skein.ID {
	return slices.SortedFunc(maps.Keys(m), func(a, b skein.ID) int { return bytes.Compare(a[:], b[:]) })
}

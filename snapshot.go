package skein

import "slices"

// Snapshot is which commits of the store somebody could read at a moment: those with a stamp
// below Next that are not Open. The zero value has none.
type Snapshot struct {
	Next int64
	Open []int64 // must not be written to
}

// Has reports whether the commit with a stamp could be read; zero: a stamp is not known.
func (s *Snapshot) Has(stamp int64) bool {
	return stamp != 0 && stamp < s.Next && !slices.Contains(s.Open, stamp)
}

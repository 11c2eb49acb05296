package hub

import "sync/atomic"

// filterSize is a power of two: a mebibyte of counters, so that with 10,000 clients on
// this node 4 % of the others need a look-up that finds nothing.
const filterSize = 1 << 18

// filter counts the clients on this node by their marks. A client whose mark counts none
// is absent. That answers for most members of a large group at a fraction of a look-up.
// The app is no part of the mark: where two apps have clients of one id, a look-up in
// vain is all it costs. Safe for concurrent use.
type filter struct{ counts []atomic.Int32 }

func newFilter() filter { return filter{make([]atomic.Int32, filterSize)} }

// add counts a client whose first session came, or (by -1) whose last one went.
func (f *filter) add(mark uint32, by int32) { f.counts[mark%filterSize].Add(by) }

// mayHold is false for a client that is surely not on this node.
func (f *filter) mayHold(mark uint32) bool { return f.counts[mark%filterSize].Load() != 0 }

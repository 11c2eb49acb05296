package hub

import "sync/atomic"

// sieveSize is a power of two: a mebibyte of counters, so that with 10,000 clients
// here 4 % of the others are looked for in vain.
const sieveSize = 1 << 18

// sieve counts the clients on this node by their marks. Who is counted as none is
// absent, which tells most members of a large group at a fraction of a look-up. The
// app is no part of it, for the sake of who is not here: that two apps have clients of
// one id costs a look-up in vain. Safe for concurrent use.
type sieve struct{ counts []atomic.Int32 }

func newSieve() sieve { return sieve{make([]atomic.Int32, sieveSize)} }

// add counts a client whose first session came, or (by -1) whose last one went.
func (f *sieve) add(mark uint32, by int32) { f.counts[mark%sieveSize].Add(by) }

// mayHold is false of who is surely not here.
func (f *sieve) mayHold(mark uint32) bool { return f.counts[mark%sieveSize].Load() != 0 }

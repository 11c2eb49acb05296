package hub

import (
	"hash/maphash"
	"sync/atomic"
)

// sieveSize is a power of two: a mebibyte of counters, so that with 10,000 clients
// here 4 % of the others are looked for in vain.
const sieveSize = 1 << 18

// sieve counts the clients on this node by a hash. Who is counted as none is absent,
// which tells most members of a large group at a fraction of a look-up
// (BenchmarkDeliverAbsent). Safe for concurrent use.
type sieve struct{ counts []atomic.Int32 }

func newSieve() sieve { return sieve{make([]atomic.Int32, sieveSize)} }

// add counts a client whose first session came, or (by -1) whose last one went.
func (f *sieve) add(hash uint64, by int32) { f.counts[hash%sieveSize].Add(by) }

// mayHold is false of who is surely not here.
func (f *sieve) mayHold(hash uint64) bool { return f.counts[hash%sieveSize].Load() != 0 }

// hash places a client in a shard by its low bits and in the sieve by the others.
// The app is no part of it, for the sake of who is not here: that two apps have
// clients of one id costs a look-up in vain.
func (h *Hub) hash(client string) uint64 { return maphash.String(h.seed, client) }

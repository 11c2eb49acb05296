package cache

import (
	"hash/maphash"
	"sync"
)

// shards is enough that calls about different entries seldom meet at a lock, and few
// enough that a shard's part of the bound holds a very large conversation.
const shards = 16

// memory keeps the entries that were used last, within a bound of bytes.
type memory[K comparable, V entry] struct {
	seed   maphash.Seed
	fresh  func() V
	shards [shards]shard[K, V]
}

// entry is what a memory keeps. Its methods are called with its shard locked; those
// not named here are those of turns.
type entry interface {
	size() int // in bytes, about
	forget()   // drops what it knows

	idle() bool // nobody works on it, so it may be dropped
	beginReading() (turn int)
	endReading(turn int) (keep bool)
	beginWriting()
	endWriting()
}

// shard is a part of a memory: a map, and a ring in the order of use.
type shard[K comparable, V entry] struct {
	mu    sync.Mutex
	limit int
	used  int // bytes; guarded by mu, as all below
	items map[K]*item[K, V]
	ring  item[K, V] // next: used last; prev: used longest ago
}

type item[K comparable, V entry] struct {
	key        K
	value      V
	counted    int // of used
	next, prev *item[K, V]
}

func (m *memory[K, V]) init(limit int, fresh func() V) {
	m.seed, m.fresh = maphash.MakeSeed(), fresh
	for i := range m.shards {
		m.shards[i].init(limit / shards)
	}
}

func (sh *shard[K, V]) init(limit int) {
	sh.limit = limit
	sh.items = make(map[K]*item[K, V])
	sh.ring.next, sh.ring.prev = &sh.ring, &sh.ring
}

// lock is the locked shard of a key; its work must not wait.
func (m *memory[K, V]) lock(key K) *shard[K, V] {
	sh := &m.shards[maphash.Comparable(m.seed, key)%shards]
	sh.mu.Lock()
	return sh
}

// find is the entry of a key, used now; found is false where there is none.
func (sh *shard[K, V]) find(key K) (value V, found bool) {
	it := sh.items[key]
	if it == nil {
		return value, false
	}
	it.unlink()
	it.link(&sh.ring)
	return it.value, true
}

// at is the entry of a key, used now, which is made where there is none.
func (m *memory[K, V]) at(sh *shard[K, V], key K) V {
	if value, found := sh.find(key); found {
		return value
	}
	it := &item[K, V]{key: key, value: m.fresh()}
	sh.items[key] = it
	it.link(&sh.ring)
	return it.value
}

// settle counts the bytes of a key's entry anew, drops the entries that were used longest
// ago until the bound is kept, and unlocks the shard.
func (sh *shard[K, V]) settle(key K) {
	if it := sh.items[key]; it != nil {
		sh.count(it)
	}
	for it := sh.ring.prev; sh.used > sh.limit && it != &sh.ring; {
		older := it
		it = it.prev
		if older.value.idle() {
			sh.remove(older)
		}
	}
	sh.mu.Unlock()
}

func (sh *shard[K, V]) count(it *item[K, V]) {
	size := it.value.size()
	sh.used += size - it.counted
	it.counted = size
}

func (sh *shard[K, V]) remove(it *item[K, V]) {
	it.unlink()
	delete(sh.items, it.key)
	sh.used -= it.counted
}

// write notes a write about a key until the function that it returns is called, which has
// the entry forget what may have changed.
func (m *memory[K, V]) write(key K, forget func(V)) (over func()) {
	sh := m.lock(key)
	m.at(sh, key).beginWriting()
	sh.settle(key)
	return func() {
		sh := m.lock(key)
		v := m.at(sh, key)
		v.endWriting()
		forget(v)
		sh.settle(key)
	}
}

// each has do alter the entries whose keys hit.
func (m *memory[K, V]) each(hit func(K) bool, do func(V)) {
	for i := range m.shards {
		sh := &m.shards[i]
		sh.mu.Lock()
		for key, it := range sh.items {
			if hit(key) {
				do(it.value)
				sh.count(it)
			}
		}
		sh.mu.Unlock()
	}
}

// held is how many entries there are, and their bytes.
func (m *memory[K, V]) held() (entries, bytes int) {
	for i := range m.shards {
		sh := &m.shards[i]
		sh.mu.Lock()
		entries += len(sh.items)
		bytes += sh.used
		sh.mu.Unlock()
	}
	return entries, bytes
}

func (it *item[K, V]) link(ring *item[K, V]) {
	it.next, it.prev = ring.next, ring
	ring.next.prev = it
	ring.next = it
}

func (it *item[K, V]) unlink() {
	it.prev.next = it.next
	it.next.prev = it.prev
}

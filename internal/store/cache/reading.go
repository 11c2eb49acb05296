package cache

import "time"

// reading is a read of the engine for one entry. Its result is kept if nothing changed
// meanwhile.
type reading[K name, V entry] struct {
	s     *Store
	m     *memory[K, V]
	key   K
	sweep int64     // turn of the whole cache at its beginning
	turn  int       // turn of the entry
	began time.Time // see Options.Trust; zero where no other node writes
}

// name is a key of an app's.
type name interface {
	comparable
	tenant() string
}

func beginReading[K name, V entry](s *Store, m *memory[K, V], key K) reading[K, V] {
	s.misses.Add(1)
	r := reading[K, V]{s: s, m: m, key: key, sweep: s.turn.Load()}
	if s.trust != 0 {
		r.began = s.now()
	}
	sh := m.lock(key)
	r.turn = m.at(sh, key).beginReading()
	sh.settle(key)
	return r
}

// end calls keep with the entry, unless a write may have changed what was read.
func (r reading[K, V]) end(keep func(V)) {
	sh := r.m.lock(r.key)
	v := r.m.at(sh, r.key)
	if v.endReading(r.turn) && !r.s.sweeps.of(r.key.tenant()) && r.s.turn.Load() == r.sweep {
		keep(v)
	}
	sh.settle(r.key)
}

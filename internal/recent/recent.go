// Package recent holds maps of bounded size that keep the entries used most recently. A
// lookup costs at most two lookups in Go maps.
package recent

// Map keeps at least the limit most recently used entries, and at most twice as many. It
// has two generations instead of an exact order: an entry that is used moves to the young
// generation, and when that is full, Map drops the old one. Not safe for concurrent use.
type Map[K comparable, V any] struct {
	limit      int
	young, old map[K]V
}

// New makes an empty map for limit entries.
func New[K comparable, V any](limit int) *Map[K, V] {
	return &Map[K, V]{limit: limit, young: make(map[K]V)}
}

// Get returns the value of k and marks it as used.
func (m *Map[K, V]) Get(k K) (V, bool) {
	if v, ok := m.young[k]; ok {
		return v, true
	}
	v, ok := m.old[k]
	if ok {
		m.Put(k, v)
	}
	return v, ok
}

// Put sets the value of k and marks it as used.
func (m *Map[K, V]) Put(k K, v V) {
	if len(m.young) >= m.limit {
		m.old, m.young = m.young, make(map[K]V)
	}
	m.young[k] = v
}

// Delete removes k.
func (m *Map[K, V]) Delete(k K) {
	delete(m.young, k)
	delete(m.old, k)
}

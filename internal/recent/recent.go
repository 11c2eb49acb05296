// Package recent holds a map that forgets: it keeps what was used lately, within a
// bound, at the price of two map look-ups.
package recent

// Map keeps at least the limit most recently used entries and at most twice as
// many. It is not safe for concurrent use. Two generations stand for an exact
// order: what is used moves to the young one, and when that is full the old one is
// dropped.
type Map[K comparable, V any] struct {
	limit      int
	young, old map[K]V
}

// New is an empty map for limit entries.
func New[K comparable, V any](limit int) *Map[K, V] {
	return &Map[K, V]{limit: limit, young: make(map[K]V)}
}

// Get is the value of k and marks it as used.
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

// Delete forgets k.
func (m *Map[K, V]) Delete(k K) {
	delete(m.young, k)
	delete(m.old, k)
}

package recent

import (
	"hash/maphash"
	"sync"
)

// parts is the number of separately locked parts of a Shared.
const parts = 32

// Shared is a Map that is safe for concurrent use. A lookup of a recently used key waits
// only for a change in the same part.
type Shared[K comparable, V any] struct {
	seed  maphash.Seed
	parts [parts]part[K, V]
}

type part[K comparable, V any] struct {
	mu  sync.RWMutex
	all *Map[K, V] // guarded by mu; a read lock allows to read all.young
}

// NewShared makes an empty map for about limit entries. Every part has room for as many.
func NewShared[K comparable, V any](limit int) *Shared[K, V] {
	s := &Shared[K, V]{seed: maphash.MakeSeed()}
	for i := range s.parts {
		s.parts[i].all = New[K, V]((limit + parts - 1) / parts)
	}
	return s
}

func (s *Shared[K, V]) part(k K) *part[K, V] {
	return &s.parts[maphash.Comparable(s.seed, k)%parts]
}

// Get returns the value of k and marks it as used.
func (s *Shared[K, V]) Get(k K) (V, bool) {
	p := s.part(k)
	p.mu.RLock()
	v, ok := p.all.young[k]
	p.mu.RUnlock()
	if ok {
		return v, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.Get(k)
}

// Put sets the value of k and marks it as used.
func (s *Shared[K, V]) Put(k K, v V) {
	p := s.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all.Put(k, v)
}

// Renew replaces the value of k by the result of next, and returns it. next receives the
// value before and whether there was one. The part is locked meanwhile: next must not use
// the map.
func (s *Shared[K, V]) Renew(k K, next func(before V, there bool) V) V {
	p := s.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	v := next(p.all.Get(k))
	p.all.Put(k, v)
	return v
}

// Delete removes k.
func (s *Shared[K, V]) Delete(k K) {
	p := s.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all.Delete(k)
}

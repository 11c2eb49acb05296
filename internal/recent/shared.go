package recent

import (
	"hash/maphash"
	"sync"
)

// parts is how many of those who look up different keys at once seldom meet.
const parts = 32

// Shared is a Map that is safe for concurrent use. Who looks up what was used lately
// waits for nobody but for who changes something in the same part of it.
type Shared[K comparable, V any] struct {
	seed  maphash.Seed
	parts [parts]part[K, V]
}

type part[K comparable, V any] struct {
	mu  sync.RWMutex
	all *Map[K, V] // guarded by mu; reading young is enough with a read lock
}

// NewShared is an empty map for about limit entries: keys are spread over parts of
// one size.
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

// Get is the value of k and marks it as used.
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

// Renew sets the value of k to what next makes of the one before, if there is one,
// and answers it. Nobody else changes k meanwhile; next must not use the map.
func (s *Shared[K, V]) Renew(k K, next func(before V, there bool) V) V {
	p := s.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	v := next(p.all.Get(k))
	p.all.Put(k, v)
	return v
}

// Delete forgets k.
func (s *Shared[K, V]) Delete(k K) {
	p := s.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all.Delete(k)
}

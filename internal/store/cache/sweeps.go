package cache

import (
	"sync"
	"sync/atomic"
)

// sweeps counts, by app, the writes under way that may touch anything of it.
type sweeps struct {
	all  atomic.Int64 // so that a read looks no further while there are none
	mu   sync.Mutex
	apps map[string]int // guarded by mu
}

// sweep says that a write is under way that may touch anything of an app; what it
// answers says that it is over.
func (s *Store) sweep(app string) (over func()) {
	s.sweeps.add(app, 1)
	s.turn.Add(1)
	return func() {
		s.turn.Add(1)
		s.sweeps.add(app, -1)
	}
}

func (s *sweeps) add(app string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.apps == nil {
		s.apps = make(map[string]int)
	}
	if s.apps[app] += n; s.apps[app] == 0 {
		delete(s.apps, app)
	}
	s.all.Add(int64(n))
}

// of reports whether any is under way in an app.
func (s *sweeps) of(app string) bool {
	if s.all.Load() == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.apps[app] > 0
}

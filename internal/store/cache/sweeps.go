package cache

import (
	"sync"
	"sync/atomic"
)

// sweeps counts, by app, the writes under way that may change anything of the app.
type sweeps struct {
	all  atomic.Int64 // of all apps: while it is zero a read takes no lock
	mu   sync.Mutex
	apps map[string]int // guarded by mu
}

// sweep notes a write that may change anything of an app until the function that it
// returns is called.
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

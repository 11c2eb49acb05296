// Package share divides what a node holds (calls, uploads, sockets, memory) among
// those who hold it, so that nobody takes all of it. It does not know what is held.
package share

import "sync"

// Pool is a bounded amount with a share for each holder, such as an app. A holder
// may have at most weight times what is free then. So one holder gets weight/(weight+1)
// of the whole at most, whatever it tries; the next one gets as large a part of what
// the first has left, and so on. What a holder has is never taken from it: pools are
// for what is soon given back. Safe for concurrent use.
type Pool struct {
	limit  int64 // negative: no bound
	weight int64

	mu      sync.Mutex
	taken   int64            // guarded by mu
	held    map[string]int64 // by holder; guarded by mu
	refused int64            // guarded by mu
}

// New is a pool of limit; a negative one is no bound. weight is at least 1.
func New(limit, weight int64) *Pool {
	return &Pool{limit: limit, weight: max(weight, 1), held: make(map[string]int64)}
}

// Take takes n for a holder and reports whether there was room. most bounds what
// the holder may have besides; zero: its share is the only bound. An empty holder is
// one of its own. Who took gives it back with Give.
func (p *Pool) Take(holder string, n, most int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	has := p.held[holder]
	if most > 0 && has+n > most || p.limit >= 0 && has+n > p.weight*(p.limit-p.taken-n) {
		p.refused++
		return false
	}
	p.taken += n
	p.held[holder] = has + n
	return true
}

// Force takes n for a holder whether or not there is room.
func (p *Pool) Force(holder string, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken += n
	p.held[holder] += n
}

// Give gives back n that a holder took.
func (p *Pool) Give(holder string, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken -= n
	if p.held[holder] -= n; p.held[holder] <= 0 {
		delete(p.held, holder)
	}
}

// Taken is how much is held in all.
func (p *Pool) Taken() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}

// Refused counts the calls of Take that found no room.
func (p *Pool) Refused() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

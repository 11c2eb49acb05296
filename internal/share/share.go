// Package share divides what a node has (calls, uploads, sockets, memory, processor time)
// among apps, clients or addresses, so that none of them takes all of it. It does not know
// what it divides.
package share

import "sync"

// Pool is a bounded amount that holders, such as apps, share. A holder may have at most
// weight times what remains free. So one holder gets at most weight/(weight+1) of the
// whole, the next one at most that part of the rest, and so on. A pool never takes
// anything back from a holder: it is for what holders soon give back. Safe for concurrent
// use.
type Pool struct {
	limit  int64 // negative: no bound
	weight int64

	mu      sync.Mutex
	taken   int64            // guarded by mu
	held    map[string]int64 // by holder; guarded by mu
	refused int64            // guarded by mu
}

// New makes a pool of limit; a negative limit is no bound. A weight below 1 counts as 1.
func New(limit, weight int64) *Pool {
	return &Pool{limit: limit, weight: max(weight, 1), held: make(map[string]int64)}
}

// Take takes n for a holder and reports whether there was room. most is a further bound of
// what the holder may have; zero: only its share bounds it. The empty holder is a holder
// like others. The caller returns n with Give.
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

// Give returns n that a holder took.
func (p *Pool) Give(holder string, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken -= n
	if p.held[holder] -= n; p.held[holder] <= 0 {
		delete(p.held, holder)
	}
}

// Taken is how much all holders have.
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

// Package share divides what a node has (calls, uploads, sockets, memory, processor time)
// among apps, clients or addresses, so that none of them takes all of it. It does not know
// what it divides.
package share

import "sync"

// Pool is a bounded amount that holders, such as apps, share. Its last part, the reserve, is
// for holders that have little: while no more than the reserve is free, a holder may have at
// most as much as remains free. So however much the others hold, the next holder finds
// something, and one after it too. A pool never takes anything back from a holder. Safe for
// concurrent use.
type Pool struct {
	limit   int64 // negative: no bound
	reserve int64

	mu      sync.Mutex
	taken   int64            // guarded by mu
	held    map[string]int64 // by holder; guarded by mu
	refused int64            // guarded by mu
}

// New makes a pool of limit, all of it reserve: one holder gets at most half of the whole,
// the next one half of the rest, and so on. A negative limit is no bound.
func New(limit int64) *Pool { return NewReserving(limit, limit) }

// NewReserving makes a pool with a smaller reserve. It is for what one holder may need nearly
// all of: a holder that is alone gets all but the reserve.
func NewReserving(limit, reserve int64) *Pool {
	return &Pool{limit: limit, reserve: reserve, held: make(map[string]int64)}
}

// Take takes n for a holder and reports whether there was room. most is a further bound of
// what the holder may have; zero: only its share bounds it. The empty holder is a holder
// like others. The caller returns n with Give.
func (p *Pool) Take(holder string, n, most int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	has := p.held[holder] + n
	left := p.limit - p.taken - n
	if most > 0 && has > most || p.limit >= 0 && left < p.reserve && has > left {
		p.refused++
		return false
	}
	p.taken += n
	p.held[holder] = has
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

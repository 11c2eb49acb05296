// Package moves remembers which conversations moved lately, that is, got a new stamp. With it
// a sync finds what changed for a client without an index that every message would have to
// update. It knows no engine.
package moves

import "sync"

// Most is how many moved conversations a Map remembers at most; each takes about 150 bytes.
const Most = 65_536

// Map is a memory of moves. The rows of the store hold the stamps too. Safe for concurrent
// use.
type Map struct {
	mu    sync.RWMutex
	Limit int              // of all; set before the first Add
	all   map[int64]*place // by conversation; guarded by mu, as all below
	ring  place            // newer: added first; older: added last
	floor int64            // every conversation whose stamp is greater is in all
}

// Move says that a conversation of an app got a stamp.
type Move struct{ App, Conv, Stamp int64 }

// place is the newest move of a conversation, in the order in which they were added.
type place struct {
	Move

	reached      int64 // no move added so far had a greater stamp
	older, newer *place
}

// New remembers every move from now on. No stamp has passed floor yet.
func New(floor int64) *Map {
	m := &Map{Limit: Most, all: make(map[int64]*place), floor: floor}
	m.ring.older, m.ring.newer = &m.ring, &m.ring
	return m
}

// Add adds moves. reached is at least the stamp of each move added so far and never falls.
// Stamps may come out of order.
func (m *Map) Add(moved []Move, reached int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range moved {
		known := m.all[one.Conv]
		if known != nil {
			known.unlink()
			one.Stamp = max(one.Stamp, known.Stamp)
		} else {
			known = m.room()
			m.all[one.Conv] = known
		}
		known.Move, known.reached = one, reached
		known.link(&m.ring)
	}
}

// room is an unused place. If all are used, it drops the conversation whose move was added
// first. mu is held.
func (m *Map) room() *place {
	if len(m.all) < m.Limit {
		return new(place)
	}
	oldest := m.ring.newer
	oldest.unlink()
	delete(m.all, oldest.Conv)
	m.floor = max(m.floor, oldest.Stamp)
	return oldest
}

// Forget drops everything and begins anew: moves up to floor will be missing.
func (m *Map) Forget(floor int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.all)
	m.ring.older, m.ring.newer = &m.ring, &m.ring
	m.floor = floor
}

// Len is how many conversations are remembered.
func (m *Map) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.all)
}

// Covers reports whether every conversation that moved after a stamp is remembered.
func (m *Map) Covers(stamp int64) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return stamp >= m.floor
}

// visits bounds how many other moves Since passes over for each one it may return.
const visits = 16

// Since lists the conversations of an app that moved after a stamp. complete is false if
// there are more than limit, or if too many others moved to search among them.
func (m *Map) Since(stamp, app int64, limit int) (convs []int64, complete bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if stamp < m.floor {
		return nil, false
	}
	left := limit * visits
	for at := m.ring.older; at != &m.ring && at.reached > stamp; at = at.older {
		if left--; left < 0 {
			return nil, false
		}
		if at.App != app || at.Stamp <= stamp {
			continue
		}
		if len(convs) == limit {
			return nil, false
		}
		convs = append(convs, at.Conv)
	}
	return convs, true
}

// Moved lists those of convs that moved after a stamp, in the order of convs and at most
// limit. complete is false if not every move since the stamp is remembered.
func (m *Map) Moved(stamp int64, convs []int64, limit int) (moved []int64, complete bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if stamp < m.floor {
		return nil, false
	}
	for _, conv := range convs {
		if one := m.all[conv]; one != nil && one.Stamp > stamp {
			moved = append(moved, conv)
			if len(moved) == limit {
				break
			}
		}
	}
	return moved, true
}

// link makes the place the newest.
func (p *place) link(ring *place) {
	p.older, p.newer = ring.older, ring
	ring.older.newer = p
	ring.older = p
}

func (p *place) unlink() {
	p.older.newer = p.newer
	p.newer.older = p.older
}

package tx

import (
	"sync"

	"github.com/ncruces/go-sqlite3"
)

// maxMoves bounds how many moved conversations are remembered; each takes about 150 bytes.
const maxMoves = 65_536

// Moves remembers which conversations moved lately, that is, got a new stamp. With it a sync
// finds what changed for a client without an index that every message would have to update.
// It is only in memory; the rows hold the stamps too. Safe for concurrent use.
type Moves struct {
	mu    sync.RWMutex
	Limit int             // of all; set before the first commit
	all   map[int64]*move // by conversation; guarded by mu, as all below
	ring  move            // newer: the oldest; older: the newest
	floor int64           // every conversation whose stamp is greater is in all
}

// move is the newest move of a conversation.
type move struct {
	app, conv    int64
	stamp        int64
	older, newer *move
}

// newMoves remembers every move from now on. No stamp has reached floor yet.
func newMoves(floor int64) *Moves {
	m := &Moves{Limit: maxMoves, all: make(map[int64]*move), floor: floor}
	m.ring.older, m.ring.newer = &m.ring, &m.ring
	return m
}

// add adds the conversations that moved in the commit with this stamp.
func (m *Moves) add(moved []move, stamp int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range moved {
		known := m.all[one.conv]
		if known != nil {
			known.unlink()
		} else {
			known = m.room()
			known.app, known.conv = one.app, one.conv
			m.all[one.conv] = known
		}
		known.stamp = stamp
		known.link(&m.ring)
	}
}

// room is an unused move. If all are used, it drops the conversation that has not moved for
// the longest time. mu is held.
func (m *Moves) room() *move {
	if len(m.all) < m.Limit {
		return new(move)
	}
	oldest := m.ring.newer
	oldest.unlink()
	delete(m.all, oldest.conv)
	m.floor = max(m.floor, oldest.stamp)
	return oldest
}

// forget drops everything, because another process wrote to the file before stamp.
func (m *Moves) forget(stamp int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.all)
	m.ring.older, m.ring.newer = &m.ring, &m.ring
	m.floor = stamp
}

// Covers reports whether every conversation that moved after a stamp is remembered.
func (m *Moves) Covers(stamp int64) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return stamp >= m.floor
}

// visits bounds how many moves of other apps Since passes over for each one it may return.
const visits = 16

// Since lists the conversations of an app that moved after a stamp. complete is false if
// there are more than limit, or if too many others moved to search among them.
func (m *Moves) Since(stamp, app int64, limit int) (convs []int64, complete bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if stamp < m.floor {
		return nil, false
	}
	left := limit * visits
	for at := m.ring.older; at != &m.ring && at.stamp > stamp; at = at.older {
		if left--; left < 0 || len(convs) == limit {
			return nil, false
		}
		if at.app == app {
			convs = append(convs, at.conv)
		}
	}
	return convs, true
}

// Moved lists those of convs that moved after a stamp, in the order of convs and at most
// limit. complete is false if not every move since the stamp is remembered.
func (m *Moves) Moved(stamp int64, convs []int64, limit int) (moved []int64, complete bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if stamp < m.floor {
		return nil, false
	}
	for _, conv := range convs {
		if one := m.all[conv]; one != nil && one.stamp > stamp {
			moved = append(moved, conv)
			if len(moved) == limit {
				break
			}
		}
	}
	return moved, true
}

// link makes the move the newest.
func (m *move) link(ring *move) {
	m.older, m.newer = ring.older, ring
	ring.older.newer = m
	ring.older = m
}

func (m *move) unlink() {
	m.older.newer = m.newer
	m.newer.older = m.older
}

// Move runs a statement that may set the stamp of conversations and ends with
// ReturningMoves. It notes the conversations that have the stamp now, and returns the number
// of rows. Every statement that sets a stamp must go through Move or Note (TestSQLite checks
// it).
func (g *Group) Move(sql string, args ...any) (n int, err error) {
	err = g.Rows(func(r *sqlite3.Stmt) {
		if r.ColumnInt64(2) == g.Stamp {
			g.Note(r.ColumnInt64(0), r.ColumnInt64(1))
		}
		n++
	}, sql, args...)
	return n, err
}

// ReturningMoves ends a statement for Move.
const ReturningMoves = ` RETURNING app_key, conv_key, moved`

// Note records that a conversation moves with this commit.
func (g *Group) Note(app, conv int64) {
	g.moved = append(g.moved, move{app: app, conv: conv})
}

package tx

import (
	"sync"

	"github.com/ncruces/go-sqlite3"
)

// maxMoves bounds how many conversations are known to have moved lately; one costs
// about 150 bytes.
const maxMoves = 65_536

// Moves is which conversations moved lately, so that what changed for a client is
// found without an index that each message would have to keep. Nothing of it is
// worth keeping: what is older is in the rows. Safe for concurrent use.
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

// newMoves knows all that moves from now on; no stamp has reached floor.
func newMoves(floor int64) *Moves {
	m := &Moves{Limit: maxMoves, all: make(map[int64]*move), floor: floor}
	m.ring.older, m.ring.newer = &m.ring, &m.ring
	return m
}

// add takes in what moved in the commit with a stamp.
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

// room is a place for one more, which may be that of the conversation that did not
// move for longest. mu is held.
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

// forget drops what is known: somebody else has written too, before stamp.
func (m *Moves) forget(stamp int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.all)
	m.ring.older, m.ring.newer = &m.ring, &m.ring
	m.floor = stamp
}

// Covers reports whether all is known that moved after a stamp.
func (m *Moves) Covers(stamp int64) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return stamp >= m.floor
}

// visits bounds how many moves of other apps are passed over for each that is looked
// for.
const visits = 16

// Since lists the conversations of an app that moved after a stamp; complete is
// false where there are more than limit, or too much else moved to look for them.
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

// Moved are those of convs, in their order, that moved after a stamp, at most limit;
// complete is false where not all is known.
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
// returningMoves, notes which have it, and says how many rows there were. Whatever
// sets a stamp goes through it, or through note (TestSQLite).
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

// Note says that a conversation moves with this commit.
func (g *Group) Note(app, conv int64) {
	g.moved = append(g.moved, move{app: app, conv: conv})
}

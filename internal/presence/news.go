package presence

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/skein-im/skein"
)

// news is what was told since the last turn. It is bounded by the logins and logouts of a
// second.
type news struct {
	watching atomic.Int64 // clients that are watched; while zero only last logouts are noted

	mu       sync.Mutex
	clients  map[address]moves // guarded by mu
	sessions []string          // that are gone; guarded by mu
}

// moves is what was heard of a client.
type moves struct {
	left skein.Millis // when it last lost a session; zero: it did not
	last skein.Millis // when it last lost its only one; zero: it did not
	here skein.Millis // last, where this node has to keep it
}

func (n *news) came(who address) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.note(who, moves{})
}

func (n *news) left(who address, at skein.Millis, last, here bool) {
	m := moves{left: at}
	if last {
		m.last = at
		if here {
			m.here = at
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.note(who, m)
}

func (n *news) ended(session string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sessions = append(n.sessions, session)
}

// note adds what was heard to what was heard before. mu is held.
func (n *news) note(who address, m moves) {
	if n.clients == nil {
		n.clients = make(map[address]moves)
	}
	before := n.clients[who]
	n.clients[who] = moves{
		left: max(before.left, m.left), last: max(before.last, m.last), here: max(before.here, m.here),
	}
}

// take is all that was heard, once.
func (n *news) take() (clients map[address]moves, sessions []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	clients, sessions = n.clients, n.sessions
	n.clients, n.sessions = nil, nil
	return clients, sessions
}

// lastOf adds when clients left about whom there is news.
func (n *news) lastOf(app string, seen map[string]skein.Millis) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for client := range maps.Keys(seen) {
		seen[client] = max(seen[client], n.clients[address{app, client}].last)
	}
}

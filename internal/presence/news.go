package presence

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/skein-im/skein"
)

// news is what the hub said since the last turn. It is bounded by what logs in and
// out in a second.
type news struct {
	watching atomic.Int64 // clients that are watched; zero: only who left counts

	mu       sync.Mutex
	clients  map[address]moves // guarded by mu
	sessions []string          // that are gone; guarded by mu
}

// moves is what was heard of a client.
type moves struct {
	left skein.Millis // when it last lost a session; zero: it did not
	last skein.Millis // when it last lost its only one; zero: it did not
}

func (n *news) came(who address) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.note(who, moves{})
}

func (n *news) left(who address, at skein.Millis, last bool) {
	m := moves{left: at}
	if last {
		m.last = at
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
	n.clients[who] = moves{left: max(before.left, m.left), last: max(before.last, m.last)}
}

// take is all that was heard, once.
func (n *news) take() (clients map[address]moves, sessions []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	clients, sessions = n.clients, n.sessions
	n.clients, n.sessions = nil, nil
	return clients, sessions
}

// lastOf copies when those clients left who are in the news.
func (n *news) lastOf(app string, seen map[string]skein.Millis) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for client := range maps.Keys(seen) {
		seen[client] = max(seen[client], n.clients[address{app, client}].last)
	}
}

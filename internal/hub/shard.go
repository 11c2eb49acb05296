package hub

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/skein-im/skein"
)

// address is a client of an app.
type address struct{ app, client string }

// shard holds some of the clients and their sessions.
type shard struct {
	hub   *Hub
	queue *queue

	mu       sync.RWMutex
	sessions map[address]*Session // first of the client's, linked by Session.next; guarded by mu
	apps     map[string]int       // sessions of each app; guarded by mu
	count    int                  // sessions; guarded by mu
	wheel    wheel                // guarded by mu

	// live counts attached sessions. Nothing is added once the hub is closing.
	live sync.WaitGroup

	waiting   atomic.Int64 // bytes that wait for its sessions, and those being written
	framesOut atomic.Int64
	bytesOut  atomic.Int64
}

func (sh *shard) init(h *Hub, q *queue, now skein.Millis) {
	sh.hub, sh.queue = h, q
	sh.sessions = make(map[address]*Session)
	sh.apps = make(map[string]int)
	sh.wheel.reset(now)
}

// shardOf depends on the client's id alone: clients of two apps with one id share a shard.
func (h *Hub) shardOf(who address) *shard {
	return &h.shards[maphash.String(h.seed, who.client)%shardCount]
}

// add adds s to its client's sessions. mu is held.
func (sh *shard) add(s *Session) {
	who := s.address()
	s.next = sh.sessions[who]
	if s.next == nil {
		s.shard.hub.filter.add(skein.MarkOf(who.client), 1)
	}
	sh.sessions[who] = s
	s.attached = true
	sh.apps[s.app]++
	sh.count++
	sh.live.Add(1)
}

// departure is a session that was taken out. Left is told of it once the lock is free.
type departure struct {
	session *Session // nil: Left is not told
}

func (d departure) tell() {
	if s := d.session; s != nil {
		s.shard.hub.opts.Left(s)
	}
}

// remove takes s out, if it is still in. mu is held.
func (sh *shard) remove(s *Session) departure {
	if !s.attached {
		return departure{}
	}
	s.attached = false
	sh.unlink(s)
	sh.wheel.remove(s)
	if sh.apps[s.app]--; sh.apps[s.app] == 0 {
		delete(sh.apps, s.app)
	}
	sh.count--
	sh.live.Done()
	if sh.sessions[s.address()] == nil {
		s.shard.hub.filter.add(skein.MarkOf(s.client), -1)
	}
	if !s.entered {
		return departure{}
	}
	return departure{s}
}

func (sh *shard) unlink(s *Session) {
	who := s.address()
	if sh.sessions[who] == s {
		if s.next == nil {
			delete(sh.sessions, who)
		} else {
			sh.sessions[who] = s.next
		}
		return
	}
	for at := sh.sessions[who]; at != nil; at = at.next {
		if at.next == s {
			at.next = s.next
			return
		}
	}
}

// all lists the sessions of all clients.
func (sh *shard) all() []*Session {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	found := make([]*Session, 0, sh.count)
	for _, first := range sh.sessions {
		for s := first; s != nil; s = s.next {
			found = append(found, s)
		}
	}
	return found
}

package hub

import (
	"github.com/skein-im/skein"
)

// Login is a login that is to become a session.
type Login struct {
	App, Client, Device string
	DeviceType          skein.DeviceType
	ID                  string         // 32 hex digits of a UUIDv7
	Rev                 int64          // skein.Client.Rev by which the login was allowed
	Expires             skein.Millis   // end of the token; zero: none
	Withheld            skein.EventSet // events that the session does not get
	Conn                Conn
	Waits               func() // told before Answer waits for the socket; nil: nobody needs to know
}

// Attach adds the session of a login. From here on a kick finds it, so that a login
// which is checked once more after Attach misses none. It becomes a session for others
// with Enter. Events are held until Answer sends the answer to the login.
// Errors: ErrClosed.
func (h *Hub) Attach(l Login) (*Session, error) {
	s := h.newSession(l)
	sh := s.shard
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if h.closing.Load() {
		return nil, ErrClosed
	}
	sh.add(s)
	sh.wheel.add(s, s.due())
	return s, nil
}

// Judged says that the login is allowed by a newer rev than it was attached with.
func (s *Session) Judged(rev int64) {
	s.shard.mu.Lock()
	defer s.shard.mu.Unlock()
	s.rev = rev
}

// Enter says that the session has entered the store's sessions: with its end Left is
// called. From then on the session gets no event about a commit in saw, what its client could
// read when it logged in, and none that was held back before: the client syncs after the login,
// and such an event may be late, so that its client has left the conversation or deleted the
// message. It reports false where the session is over already, which Left is not told.
func (s *Session) Enter(generation int64, resumed bool, saw skein.Snapshot) bool {
	s.shard.mu.Lock()
	defer s.shard.mu.Unlock()
	if !s.attached {
		return false
	}
	s.generation, s.resumed, s.saw, s.entered = generation, resumed, saw, true
	s.number = s.shard.hub.entered.Add(1)
	s.dropSeen()
	return true
}

func (h *Hub) newSession(l Login) *Session {
	s := &Session{
		shard:      h.shardOf(address{l.App, l.Client}),
		conn:       l.Conn,
		waits:      l.Waits,
		app:        l.App,
		client:     l.Client,
		device:     l.Device,
		deviceType: l.DeviceType,
		id:         l.ID,
		rev:        l.Rev,
		expires:    l.Expires,
		withheld:   l.Withheld,
		holding:    true,
	}
	now := h.now()
	s.alive.Store(int64(now))
	s.pingAt = now.Add(h.opts.Heartbeat)
	return s
}

// sessionOf is the client's session with an id; nil: none. mu is held.
func (sh *shard) sessionOf(who address, id string) *Session {
	for s := sh.sessions[who]; s != nil; s = s.next {
		if s.id == id {
			return s
		}
	}
	return nil
}

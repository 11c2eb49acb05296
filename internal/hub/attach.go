package hub

import (
	"sync/atomic"

	"github.com/skein-im/skein"
)

// Login is a login that was allowed and becomes a session.
type Login struct {
	App, Client, Device string
	DeviceType          string       // may be empty
	ID                  string       // 32 hex digits of a UUIDv7: also the generation, the greater wins
	Started             skein.Millis // when the login began, before anything was checked
	Expires             skein.Millis // end of the token; zero: none
	MaxDevices          int          // sessions of the client beside which none is added without kicking the oldest; zero: no limit
	Conn                Conn
}

// Attach makes a session of a login. An older session of the same device is
// kicked, and so is the oldest where there are more than MaxDevices. Events are
// held until Answer sends the answer to the login.
// Errors: ErrSuperseded, ErrCut, ErrClosed.
func (h *Hub) Attach(l Login) (*Session, error) {
	s := h.newSession(l)
	kicked, err := s.shard.admit(s, l.MaxDevices, &h.closing)
	if err != nil {
		return nil, err
	}
	for _, k := range kicked {
		k.session.kick(k.reason)
	}
	return s, nil
}

func (h *Hub) newSession(l Login) *Session {
	s := &Session{
		hub:        h,
		shard:      h.shardOf(address{l.App, l.Client}),
		conn:       l.Conn,
		app:        l.App,
		client:     l.Client,
		device:     l.Device,
		deviceType: l.DeviceType,
		id:         l.ID,
		started:    l.Started,
		expires:    l.Expires,
		holding:    true,
	}
	now := h.now()
	s.alive.Store(int64(now))
	s.pingAt = now.Add(h.opts.Heartbeat)
	s.drain = func() {
		defer s.shard.live.Done()
		s.flush()
	}
	return s
}

// kicked is a session that has to go, and why.
type kicked struct {
	session *Session
	reason  string
}

// admit adds s and takes out whom it replaces; they are still to be told.
func (sh *shard) admit(s *Session, maxDevices int, closing *atomic.Bool) ([]kicked, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if closing.Load() {
		return nil, ErrClosed
	}
	same := sh.find(s.address(), s.device)
	if same != nil && same.id > s.id {
		return nil, ErrSuperseded
	}
	if sh.wasCut(s) {
		return nil, ErrCut
	}
	var out []kicked
	if same != nil {
		sh.remove(same)
		out = append(out, kicked{same, skein.KickReplaced})
	}
	for maxDevices > 0 && sh.devices(s.address()) >= maxDevices {
		oldest := sh.oldest(s.address())
		sh.remove(oldest)
		out = append(out, kicked{oldest, skein.KickDeviceLimit})
	}
	sh.add(s)
	sh.wheel.add(s, s.due())
	return out, nil
}

// find is the client's session on a device; nil: none. mu is held.
func (sh *shard) find(who address, device string) *Session {
	for s := sh.sessions[who]; s != nil; s = s.next {
		if s.device == device {
			return s
		}
	}
	return nil
}

// devices counts the client's sessions. mu is held.
func (sh *shard) devices(who address) (n int) {
	for s := sh.sessions[who]; s != nil; s = s.next {
		n++
	}
	return n
}

// oldest is the client's session with the smallest id. mu is held.
func (sh *shard) oldest(who address) *Session {
	oldest := sh.sessions[who]
	for s := oldest; s != nil; s = s.next {
		if s.id < oldest.id {
			oldest = s
		}
	}
	return oldest
}

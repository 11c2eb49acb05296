package hub

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/skein-im/skein"
)

// Login is a login that was allowed and becomes a session.
type Login struct {
	App, Client, Device string
	DeviceType          skein.DeviceType
	ID                  string         // 32 hex digits of a UUIDv7
	Generation          string         // 32 hex digits; where there is room for one the greater stays, of equal ones the greater ID; empty: ID
	Started             skein.Millis   // when the login began, before anything was checked
	Expires             skein.Millis   // end of the token; zero: none
	MaxDevices          int            // sessions of the client beside which none is added without kicking the oldest; zero: no limit
	Deaf                skein.EventSet // events that the session is not to have
	OnePerType          bool           // the client's other sessions of DeviceType are kicked
	Conn                Conn
	Waits               func() // told before Answer waits for the socket; nil: nobody needs to know
}

// Attach makes a session of a login. Older sessions of the same device are kicked,
// with OnePerType those of the same device type, and the oldest where there are more
// than MaxDevices; where one of those is newer than the login, the login is refused
// and nobody is kicked. So the order in which logins come here decides nothing.
// Events are held until Answer sends the answer to the login.
// Errors: *Superseded, ErrCut, ErrClosed.
func (h *Hub) Attach(l Login) (*Session, error) {
	s := h.newSession(l)
	kicked, err := s.shard.admit(s, l, &h.closing)
	if err != nil {
		return nil, err
	}
	h.opts.Came(s.app, s.client)
	for _, k := range kicked {
		h.opts.Left(k.session.app, k.session.client, k.session.id, false)
		k.session.kick(k.reason)
	}
	return s, nil
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
		generation: cmp.Or(l.Generation, l.ID),
		started:    l.Started,
		expires:    l.Expires,
		deaf:       l.Deaf,
		holding:    true,
	}
	now := h.now()
	s.alive.Store(int64(now))
	s.pingAt = now.Add(h.opts.Heartbeat)
	return s
}

// kicked is a session that has to go, and why.
type kicked struct {
	session *Session
	reason  string
}

// admit adds s and takes out whom it replaces; they are still to be told.
func (sh *shard) admit(s *Session, l Login, closing *atomic.Bool) ([]kicked, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if closing.Load() {
		return nil, ErrClosed
	}
	out := sh.inTheWay(s, l)
	for _, k := range out {
		if age(k.session, s) > 0 {
			return nil, &Superseded{k.reason}
		}
	}
	if sh.wasCut(s) {
		return nil, ErrCut
	}
	sh.add(s) // first, so that the client is online all the time
	for _, k := range out {
		sh.remove(k.session)
	}
	sh.wheel.add(s, s.due())
	return out, nil
}

// inTheWay are the sessions that cannot stay beside s. mu is held.
func (sh *shard) inTheWay(s *Session, l Login) (out []kicked) {
	var beside []*Session
	for other := sh.sessions[s.address()]; other != nil; other = other.next {
		switch {
		case other.device == s.device:
			out = append(out, kicked{other, skein.KickReplaced})
		case l.OnePerType && other.deviceType == s.deviceType:
			out = append(out, kicked{other, skein.KickDeviceType})
		default:
			beside = append(beside, other)
		}
	}
	if tooMany := len(beside) - l.MaxDevices + 1; l.MaxDevices > 0 && tooMany > 0 {
		slices.SortFunc(beside, age)
		for _, oldest := range beside[:tooMany] {
			out = append(out, kicked{oldest, skein.KickDeviceLimit})
		}
	}
	return out
}

// age compares two sessions: the older, the less.
func age(a, b *Session) int {
	return cmp.Or(cmp.Compare(a.generation, b.generation), cmp.Compare(a.id, b.id))
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

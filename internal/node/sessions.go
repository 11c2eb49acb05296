package node

import (
	"context"
	"errors"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/store"
)

// Login is how a session of the hub enters the store's sessions.
type Login struct {
	Resume     bool  // it resumes the login that had Generation; zero: older than any other
	Generation int64 // of that login
	MaxDevices int   // sessions of the client; zero: no limit
	OnePerType bool  // of each device type the client may have one session
}

// Enter makes an attached session one of the store's sessions and ends those it
// displaces, on all nodes. With an error it is none; the caller detaches it. A session
// that was kicked meanwhile is none either.
// Errors: *store.Superseded, those of the store.
func (n *Node) Enter(ctx context.Context, s *hub.Session, in Login) error {
	l := store.Login{Session: n.sessionOf(s), MaxDevices: in.MaxDevices, OnePerType: in.OnePerType}
	l.Resumed, l.Generation = in.Resume, 0
	if in.Resume {
		l.Generation = in.Generation
	}
	generation, displaced, err := n.opts.Store.EnterSession(ctx, l)
	if errors.Is(err, store.ErrNoLease) {
		if err = n.renew(ctx); err == nil {
			generation, displaced, err = n.opts.Store.EnterSession(ctx, l)
		}
	}
	if err != nil {
		return err
	}
	entered := s.Enter(generation, in.Resume && generation == l.Generation)
	n.announce(l.App, l.Client, displaced)
	if !entered {
		n.leave(l.Session)
	}
	return nil
}

// announce tells all nodes, this one too, that a session of the client came and who has
// to go for it.
func (n *Node) announce(app, client string, displaced []store.Displaced) {
	s := &bus.Sessions{Client: client}
	for _, d := range displaced {
		s.Displaced = append(s.Displaced, bus.Displaced{ID: d.ID, Reason: d.Reason})
	}
	n.tell(app, s)
}

// Left is the hub's word that a session that had entered is gone. It does not wait.
func (n *Node) Left(s *hub.Session) { n.leave(n.sessionOf(s)) }

func (n *Node) leave(s store.Session) {
	n.mu.Lock()
	n.leaving = append(n.leaving, s)
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// goodbyesAtOnce is how many sessions are taken out at once.
const goodbyesAtOnce = 1000

// sayGoodbyes takes the sessions that ended out of the store. Those that it could not
// take out are tried again in the next beat.
func (n *Node) sayGoodbyes(ctx context.Context) {
	for {
		n.mu.Lock()
		some := n.leaving[:min(len(n.leaving), goodbyesAtOnce)]
		if n.leaving = n.leaving[len(some):]; len(n.leaving) == 0 {
			n.leaving = nil
		}
		n.mu.Unlock()
		if len(some) == 0 {
			return
		}
		left, err := n.opts.Store.LeaveSessions(ctx, some)
		n.bid(left)
		if err != nil {
			n.mu.Lock()
			n.leaving = append(n.leaving, some...)
			n.mu.Unlock()
			return
		}
	}
}

// bid tells all nodes, this one too, whose sessions are gone.
func (n *Node) bid(left []store.Departure) {
	for _, d := range left {
		n.tell(d.App, &bus.Sessions{Client: d.Client, Left: true, Last: d.Last})
	}
}

// Online is what the clients are online with, on any node; those without a session are
// not in it.
func (n *Node) Online(ctx context.Context, app string, clients []string) (map[string]skein.DeviceSet, error) {
	sessions, err := n.opts.Store.SessionsOf(ctx, app, clients)
	if err != nil {
		return nil, err
	}
	online := make(map[string]skein.DeviceSet)
	for _, s := range sessions {
		online[s.Client] = online[s.Client].With(s.DeviceType)
	}
	return online, nil
}

// sessionOf is a session of the hub as the store has it.
func (n *Node) sessionOf(s *hub.Session) store.Session {
	return store.Session{
		App: s.App(), Client: s.Client(), Device: s.Device(), DeviceType: s.DeviceType(), ID: s.ID(),
		Node: n.opts.Name, Generation: s.Generation(), Resumed: s.Resumed(),
	}
}

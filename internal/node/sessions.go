package node

import (
	"context"
	"errors"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/store"
)

// Login says how a session enters the store's sessions.
type Login struct {
	Resume     bool  // it resumes an earlier login
	Generation int64 // of the earlier login; zero: older than every login
	MaxDevices int   // of the client; zero: no limit
	OnePerType bool  // the client may have one session of each device type
}

// Enter enters an attached session into the store's sessions, and ends the sessions that it
// displaces, on all nodes. After an error the session is not in the store, and the caller
// must detach it. If the session was kicked meanwhile, Enter removes it again. Errors:
// *store.Superseded, those of the store.
func (n *Node) Enter(ctx context.Context, s *hub.Session, in Login) error {
	l := store.Login{Session: n.sessionOf(s), MaxDevices: in.MaxDevices, OnePerType: in.OnePerType}
	if l.Resumed = in.Resume; in.Resume {
		l.Generation = in.Generation
	}
	as, err := n.opts.Store.EnterSession(ctx, l)
	if errors.Is(err, store.ErrNoLease) {
		if err = n.renew(ctx); err == nil {
			as, err = n.opts.Store.EnterSession(ctx, l)
		}
	}
	if err != nil {
		return err
	}
	entered := s.Enter(as.Generation, in.Resume && as.Generation == l.Generation, as.Snapshot)
	n.announceCame(l.App, l.Client, as.Displaced)
	if !entered {
		n.leave(l.Session)
	}
	return nil
}

// announceCame tells all nodes, including this one, that a session of the client began and
// which sessions it displaced.
func (n *Node) announceCame(app, client string, displaced []store.Displaced) {
	s := &bus.Sessions{Client: client}
	for _, d := range displaced {
		s.Displaced = append(s.Displaced, bus.Displaced{ID: d.ID, Reason: d.Reason})
	}
	n.announce(app, s)
}

// Left is called by the hub when an entered session has ended. It does not block.
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

// removedAtOnce is how many sessions one call removes from the store.
const removedAtOnce = 1000

// removeEnded removes the ended sessions from the store. After an error the next beat tries
// again.
func (n *Node) removeEnded(ctx context.Context) {
	for {
		n.mu.Lock()
		some := n.leaving[:min(len(n.leaving), removedAtOnce)]
		if n.leaving = n.leaving[len(some):]; len(n.leaving) == 0 {
			n.leaving = nil
		}
		n.mu.Unlock()
		if len(some) == 0 {
			return
		}
		left, err := n.opts.Store.LeaveSessions(ctx, some)
		n.announceLeft(left)
		if err != nil {
			n.mu.Lock()
			n.leaving = append(n.leaving, some...)
			n.mu.Unlock()
			return
		}
	}
}

// announceLeft tells all nodes, including this one, which sessions have ended.
func (n *Node) announceLeft(left []store.Departure) {
	for _, d := range left {
		n.announce(d.App, &bus.Sessions{Client: d.Client, Left: true, Last: d.Last})
	}
}

// Online returns, for each client that is online on any node, the types of its devices.
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

// sessionOf converts a session of the hub to one of the store.
func (n *Node) sessionOf(s *hub.Session) store.Session {
	return store.Session{
		App: s.App(), Client: s.Client(), Device: s.Device(), DeviceType: s.DeviceType(), ID: s.ID(),
		Node: n.opts.Name, Generation: s.Generation(), Resumed: s.Resumed(),
	}
}

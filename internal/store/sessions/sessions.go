// Package sessions decides which sessions must go for a login, and keeps who is logged in, in
// the memory of one process: the sessions of an engine that only one process serves. It keeps
// the promises of store.Sessions and knows no socket.
package sessions

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Table is the sessions of all clients. Safe for concurrent use.
type Table struct {
	now   func() time.Time
	first func(context.Context) (int64, error)
	next  func() int64

	mu     sync.RWMutex
	newest int64               // generation given out last; zero: none; guarded by mu
	of     map[client]*session // first of the client's, linked by next; guarded by mu
	nodes  map[string]*node    // those with a lease; guarded by mu
}

// client is a client of an app.
type client struct{ app, id string }

type session struct {
	store.Session

	next *session // of the same client
}

// node is what one process has in the table.
type node struct {
	until     time.Time
	displaced map[string]store.Displaced // by ID; not taken out yet
}

var _ store.Sessions = (*Table)(nil)

// New is an empty table. first answers a generation above all that any process before
// this one has given out; it is asked at the first login. next answers a stamp above those of
// all commits that can be read, and not above any other; see skein.Snapshot. now is the clock
// of leases.
func New(first func(context.Context) (int64, error), next func() int64, now func() time.Time) *Table {
	return &Table{now: now, first: first, next: next, of: make(map[client]*session), nodes: make(map[string]*node)}
}

// EnterSession adds a session; see store.Sessions.
func (t *Table) EnterSession(ctx context.Context, l store.Login) (store.Entered, error) {
	if err := t.begin(ctx); err != nil {
		return store.Entered{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.nodes[l.Node] == nil {
		return store.Entered{}, store.ErrNoLease
	}
	Date(&l.Session, t.newest, t.newest+1)
	displaced, err := Displace(t.sessionsOf(client{l.App, l.Client}), l)
	if err != nil {
		return store.Entered{}, err
	}
	t.newest = max(t.newest, l.Generation)
	t.remove(l.Session) // it may enter again
	for _, d := range displaced {
		t.remove(d.Session)
		if n := t.nodes[d.Node]; n != nil {
			n.note(d)
		}
	}
	who := client{l.App, l.Client}
	t.of[who] = &session{Session: l.Session, next: t.of[who]}
	return store.Entered{Generation: l.Generation, Displaced: displaced, Snapshot: skein.Snapshot{Next: t.next()}}, nil
}

// sessionsOf are the sessions of a client. mu is held.
func (t *Table) sessionsOf(who client) iter.Seq[*store.Session] {
	return func(yield func(*store.Session) bool) {
		for s := t.of[who]; s != nil; s = s.next {
			if !yield(&s.Session) {
				return
			}
		}
	}
}

// begin sees to it that generations have a beginning.
func (t *Table) begin(ctx context.Context) error {
	t.mu.RLock()
	begun := t.newest != 0
	t.mu.RUnlock()
	if begun {
		return nil
	}
	first, err := t.first(ctx)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.newest = max(t.newest, first)
	return nil
}

// LeaveSessions removes sessions; see store.Sessions.
func (t *Table) LeaveSessions(_ context.Context, sessions []store.Session) (left []store.Departure, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range sessions {
		if n := t.nodes[s.Node]; n != nil {
			delete(n.displaced, s.ID)
		}
		if t.remove(s) {
			left = append(left, store.Departure{Session: s, Last: t.of[client{s.App, s.Client}] == nil})
		}
	}
	return left, nil
}

// SessionsOf lists sessions; see store.Sessions.
func (t *Table) SessionsOf(_ context.Context, app string, clients []string) (all []store.Session, err error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, id := range clients {
		for s := t.of[client{app, id}]; s != nil; s = s.next {
			all = append(all, s.Session)
		}
	}
	return all, nil
}

// RenewNode extends the lease of a node; see store.Sessions.
func (t *Table) RenewNode(_ context.Context, name string, lease time.Duration) (displaced []store.Displaced, held bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.nodes[name]
	if held = n != nil; !held {
		n = new(node)
		t.nodes[name] = n
	}
	n.until = t.now().Add(lease)
	for _, d := range n.displaced {
		displaced = append(displaced, d)
	}
	return displaced, held, nil
}

// CountNodes counts nodes by their leases; see store.Sessions.
func (t *Table) CountNodes(_ context.Context, ahead time.Duration) (count int, err error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	from := t.now().Add(ahead)
	for _, n := range t.nodes {
		if n.until.After(from) {
			count++
		}
	}
	return count, nil
}

// ExpireNodes removes nodes and their sessions; see store.Sessions.
func (t *Table) ExpireNodes(context.Context) (left []store.Departure, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	over := make(map[string]bool)
	for name, n := range t.nodes {
		if now.After(n.until) {
			over[name] = true
			delete(t.nodes, name)
		}
	}
	if len(over) == 0 {
		return nil, nil
	}
	for who, first := range t.of {
		for s := first; s != nil; s = s.next {
			if over[s.Node] {
				t.remove(s.Session)
				left = append(left, store.Departure{Session: s.Session, Last: t.of[who] == nil})
			}
		}
	}
	return left, nil
}

// remove takes a session out and reports whether it was there. mu is held.
func (t *Table) remove(s store.Session) bool {
	who := client{s.App, s.Client}
	var before *session
	for at := t.of[who]; at != nil; before, at = at, at.next {
		switch {
		case at.ID != s.ID:
			continue
		case before != nil:
			before.next = at.next
		case at.next != nil:
			t.of[who] = at.next
		default:
			delete(t.of, who)
		}
		return true
	}
	return false
}

func (n *node) note(d store.Displaced) {
	if n.displaced == nil {
		n.displaced = make(map[string]store.Displaced)
	}
	n.displaced[d.ID] = d
}

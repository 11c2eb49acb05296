package cache

import (
	"context"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// clientEntry is what is known of one client. Guarded by the lock of its shard.
type clientEntry struct {
	turns

	client skein.Client
	known  bool
	read   time.Time // see Options.Trust
}

func (p *clientEntry) size() int {
	const fixed, cut = 500, 100
	return fixed + len(p.client.Ext) + cut*len(p.client.DeviceCuts)
}

func (p *clientEntry) forget() {
	p.turn++
	p.client, p.known = skein.Client{}, false
}

// Client is one client; see store.Clients.
func (s *Store) Client(ctx context.Context, app, id string) (skein.Client, error) {
	name := clientKey{app, id}
	if c, known := s.recallClient(name); known {
		return c, nil
	}
	r := beginReading(s, &s.clients, name)
	c, err := s.Store.Client(ctx, app, id)
	r.end(func(p *clientEntry) {
		if err == nil {
			p.client, p.known, p.read = c, true, r.began
		}
	})
	return c, err
}

func (s *Store) recallClient(name clientKey) (c skein.Client, known bool) {
	sh := s.clients.lock(name)
	defer sh.mu.Unlock()
	if s.sweeps.of(name.app) {
		return c, false
	}
	p, found := sh.find(name)
	if !found || p.writing > 0 || !p.known || !s.trusts(p.read) {
		return c, false
	}
	s.hits.Add(1)
	return p.client, true
}

// CreateClient forgets what was known of one with the same id; see store.Clients.
func (s *Store) CreateClient(ctx context.Context, c skein.Client) (got skein.Client, created bool, err error) {
	defer s.writeClient(c.App, c.ID)()
	return s.Store.CreateClient(ctx, c)
}

// CreateClients forgets what was known of those with the same ids; see store.Clients.
func (s *Store) CreateClients(ctx context.Context, app string, clients []skein.Client) ([]store.CreatedClient, error) {
	for _, c := range clients {
		defer s.writeClient(app, c.ID)()
	}
	return s.Store.CreateClients(ctx, app, clients)
}

// UpdateClient forgets the client; see store.Clients.
func (s *Store) UpdateClient(ctx context.Context, app, id string, change func(*skein.Client) error) (skein.Client, error) {
	defer s.writeClient(app, id)()
	return s.Store.UpdateClient(ctx, app, id, change)
}

// UpdateClientBy forgets the client; see store.Clients.
func (s *Store) UpdateClientBy(ctx context.Context, d skein.Deed, app, id string, change func(*skein.Client) error) (skein.Client, error) {
	defer s.writeClient(app, id)()
	return s.Store.UpdateClientBy(ctx, d, app, id, change)
}

// MarkSeen forgets the clients; see store.Clients.
func (s *Store) MarkSeen(ctx context.Context, seen []skein.Sighting) error {
	for _, one := range seen {
		defer s.writeClient(one.App, one.Client)()
	}
	return s.Store.MarkSeen(ctx, seen)
}

// DeleteClient forgets the client, the members of what it was in, and the messages
// where it deleted some for itself, also where it had left before; see store.Clients.
func (s *Store) DeleteClient(ctx context.Context, app, id string, at skein.Millis, erase bool) ([]skein.ID, int64, error) {
	defer s.sweep(app)()
	defer s.writeClient(app, id)()
	left, rev, err := s.Store.DeleteClient(ctx, app, id, at, erase)
	if err != nil && !untouched(err) {
		s.forgetApp(app)
	}
	for _, conv := range left {
		s.touch(convKey{app, conv}, (*convEntry).forgetRoster)
	}
	s.conversations.each(func(name convKey) bool { return name.app == app }, func(p *convEntry) { p.page.forgetHider(id) })
	return left, rev, err
}

// writeClient is memory.write about a client.
func (s *Store) writeClient(app, id string) (over func()) {
	return s.clients.write(clientKey{app, id}, (*clientEntry).forget)
}

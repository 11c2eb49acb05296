// Package cache keeps in memory what is asked of a store most: who is in the
// conversations that are busy, their newest messages, and the clients who come and
// go. It is a store itself, passes the contract suite over any engine, and answers
// at every moment what the engine would answer.
//
// It must see every write: all go through it, except that another process may
// change apps. It knows no SQL, and nothing here is worth keeping.
package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// DefaultBytes is about what is kept in memory unless Options says otherwise.
const DefaultBytes = 128 << 20

// Options are the choices of one cache. The zero value is usable.
type Options struct {
	Bytes      int                   // bound of what is kept, about; default DefaultBytes
	Committed  store.CommitHook      // told after the cache knows; nil: nobody
	Registerer prometheus.Registerer // nil: no metrics
}

// Store is an engine with a memory. Safe for concurrent use.
type Store struct {
	store.Store

	committed store.CommitHook
	places    memory[placeName, *place]
	clients   memory[clientName, *person]

	// sweeps are the writes under way that may touch anything of their app: meanwhile
	// nothing of it is kept or answered from memory. turn counts their beginnings and ends.
	sweeps sweeps
	turn   atomic.Int64

	mu   sync.Mutex
	apps map[string]skein.Millis // when each app that was asked for was created; guarded by mu

	hits, misses atomic.Int64 // reads that memory answered, and that the engine did
}

type placeName struct {
	app string
	id  skein.ID
}

type clientName struct{ app, id string }

func (n placeName) tenant() string  { return n.app }
func (n clientName) tenant() string { return n.app }

var _ store.Store = (*Store)(nil)

// Over opens an engine, handing it the commit hook, and puts a cache over it.
func Over(open func(store.CommitHook) (store.Store, error), opts Options) (*Store, error) {
	if opts.Bytes == 0 {
		opts.Bytes = DefaultBytes
	}
	s := &Store{committed: opts.Committed, apps: make(map[string]skein.Millis)}
	s.places.init(opts.Bytes-opts.Bytes/8, func() *place { return new(place) })
	s.clients.init(opts.Bytes/8, func() *person { return new(person) })
	engine, err := open(s.commit)
	if err != nil {
		return nil, err
	}
	s.Store = engine
	if opts.Registerer != nil {
		opts.Registerer.MustRegister(s.collectors()...)
	}
	return s, nil
}

// App is where an app is seen to be gone, or to be another one with the id of one
// that was deleted, whichever process did that: nothing of an app is answered to a
// caller who has not asked for it first. See store.Apps.
func (s *Store) App(ctx context.Context, id string) (skein.App, error) {
	app, err := s.Store.App(ctx, id)
	if err != nil && !errors.Is(err, skein.ErrUnknownApp) {
		return app, err
	}
	s.mu.Lock()
	before, known := s.apps[id]
	switch {
	case err == nil:
		s.apps[id] = app.Created
	case known:
		delete(s.apps, id)
	}
	s.mu.Unlock()
	if known && (err != nil || before != app.Created) {
		s.forgetApp(id)
	}
	return app, err
}

// DeleteApp forgets all that was the app's; see store.Apps.
func (s *Store) DeleteApp(ctx context.Context, id string) error {
	err := s.Store.DeleteApp(ctx, id)
	s.forgetApp(id)
	return err
}

func (s *Store) forgetApp(id string) {
	s.turn.Add(1)
	s.places.each(func(name placeName) bool { return name.app == id }, (*place).forget)
	s.clients.each(func(name clientName) bool { return name.app == id }, (*person).forget)
}

// Package cache keeps in memory what is asked of a store most: the members of busy
// conversations, their newest messages, and clients. It is a store itself and passes the
// contract suite over any engine. It knows no SQL, and nothing here is worth keeping.
//
// # What may be stale
//
// Nothing, where one process alone writes to the engine (Options.Trust is zero): all
// writes but those of apps go through this cache, and it answers at every moment what the
// engine would answer.
//
// Where other nodes write too, what they wrote may be missing for Options.Trust in Client,
// and in an Audience of any revision: an entry is trusted for so long from the beginning of
// its reading, and then read anew. No node tells another what it wrote. Four rules keep
// that harmless:
//
//   - Authority to write is decided in the engine's transaction, never by an entry.
//   - Audience answers nothing older than the revision that the caller names, which an
//     event carries. A list of that revision is right however old it is.
//   - Conversation is not answered from memory. It says what a member may read: who was
//     removed, or has cleared the history, on another node must not read it here.
//   - Messages are not kept.
//
// What this node itself wrote is never stale on it.
package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// DefaultBytes is about what is kept in memory unless Options says otherwise.
const DefaultBytes = 128 << 20

// TrustAmongNodes is Options.Trust where other nodes write too.
const TrustAmongNodes = 2 * time.Second

// Options are the choices of one cache. The zero value is usable.
type Options struct {
	Bytes      int                   // bound of what is kept, about; default DefaultBytes
	Trust      time.Duration         // how long an entry is trusted that other nodes may have changed; zero: no other node writes
	Now        func() time.Time      // ages entries; default time.Now
	Committed  store.CommitHook      // told after the cache knows; nil: nobody
	Registerer prometheus.Registerer // nil: no metrics
}

// Store is an engine with a memory. Safe for concurrent use.
type Store struct {
	store.Store

	trust         time.Duration // as in Options
	now           func() time.Time
	committed     store.CommitHook
	conversations memory[convKey, *convEntry]
	clients       memory[clientKey, *clientEntry]

	// sweeps are the writes under way that may touch anything of their app. Until they are
	// over nothing of the app is kept or answered from memory. turn counts their
	// beginnings and ends.
	sweeps sweeps
	turn   atomic.Int64

	mu   sync.Mutex
	apps map[string]skein.Millis // when each app that was asked for was created; guarded by mu

	hits, misses atomic.Int64 // reads that memory answered, and that the engine did
}

type convKey struct {
	app string
	id  skein.ID
}

type clientKey struct{ app, id string }

func (n convKey) tenant() string   { return n.app }
func (n clientKey) tenant() string { return n.app }

var _ store.Store = (*Store)(nil)

// Over opens an engine, handing it the commit hook, and puts a cache over it.
func Over(open func(store.CommitHook) (store.Store, error), opts Options) (*Store, error) {
	if opts.Bytes == 0 {
		opts.Bytes = DefaultBytes
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Store{trust: opts.Trust, now: opts.Now, committed: opts.Committed, apps: make(map[string]skein.Millis)}
	s.conversations.init(opts.Bytes-opts.Bytes/8, func() *convEntry { return new(convEntry) })
	s.clients.init(opts.Bytes/8, func() *clientEntry { return new(clientEntry) })
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

// App detects an app that was deleted or created anew, by whichever process, and forgets
// what was the old app's. Callers ask for the app before anything of it. See store.Apps.
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

// Forget drops what is known of a client that another node has changed.
func (s *Store) Forget(app, client string) {
	name := clientKey{app, client}
	sh := s.clients.lock(name)
	if c, found := sh.find(name); found {
		c.forget()
	}
	sh.settle(name)
}

// trusts reports whether an entry may answer that was read at a moment.
func (s *Store) trusts(read time.Time) bool {
	if s.trust == 0 {
		return true
	}
	age := s.now().Sub(read)
	return 0 <= age && age < s.trust
}

func (s *Store) forgetApp(id string) {
	s.turn.Add(1)
	s.conversations.each(func(name convKey) bool { return name.app == id }, (*convEntry).forget)
	s.clients.each(func(name clientKey) bool { return name.app == id }, (*clientEntry).forget)
}

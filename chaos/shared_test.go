package chaos

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/cache"
	"github.com/skein-im/skein/internal/store/sessions"
	"github.com/skein-im/skein/internal/store/sqlite"
)

// shared is one store that several nodes write to. Its engine has one commit hook: a commit
// is told to the node that asked for it, and to no other.
type shared struct {
	store.Store

	sessions *sessions.Table
	ahead    atomic.Int64       // of the clock of sessions
	told     atomic.Int64       // the newest stamp that hooks were told
	hooks    []store.CommitHook // of each node

	mu      sync.Mutex
	askedBy map[skein.ID]int // the node that is storing or changing a message; guarded by mu
	ends    map[skein.ID]end // of all conversations; guarded by mu
	commits int              // guarded by mu
}

// end is where the logs of a conversation end.
type end struct{ seq, change int64 }

func openShared(dir string, log slog.Handler) (*shared, error) {
	s := &shared{askedBy: map[skein.ID]int{}, ends: map[skein.ID]end{}}
	engine, err := sqlite.Open(context.Background(), sqlite.Options{
		Path: filepath.Join(dir, "skein.db"), Committed: s.committed, Log: slog.New(log),
	})
	s.Store = engine
	s.sessions = sessions.New(func(context.Context) (int64, error) { return 1, nil }, func() int64 { return s.told.Load() + 1 }, func() time.Time {
		return time.Now().Add(time.Duration(s.ahead.Load()))
	})
	return s, err
}

// loseSessions removes all sessions and leases without a sign, as a crash of the database
// does.
func (s *shared) loseSessions() error {
	s.ahead.Store(int64(time.Hour))
	defer s.ahead.Store(0)
	_, err := s.sessions.ExpireNodes(context.Background())
	return err
}

// committed is the engine's commit hook. It tells the node that asked for the commit.
func (s *shared) committed(all []skein.Committed) {
	s.told.Store(all[0].Stamp) // of all of them: they are of one commit
	for i := range all {
		s.hooks[s.note(&all[i])](all[i : i+1])
	}
}

func (s *shared) note(m *skein.Committed) (node int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.ends[m.Conv]
	if m.Change != nil {
		at.change = m.Change.Seq
	} else {
		at.seq = m.Seq
	}
	s.ends[m.Conv] = at
	return s.askedBy[m.ID]
}

// silent reports whether nobody announces a commit, as if its node had died.
func (s *shared) silent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commits++
	return s.commits%unannounced == 0
}

// last is where the logs of a conversation end.
func (s *shared) last(conv string) (seq, change int64) {
	id, _ := skein.ParseID(conv)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ends[id].seq, s.ends[id].change
}

// handle is the store as one node has it.
func (s *shared) handle(node int) *handle {
	return &handle{Store: s.Store, shared: s, node: node}
}

type handle struct {
	store.Store

	shared *shared
	node   int
}

// asks notes that this node is about to store or change a message.
func (h *handle) asks(id skein.ID) {
	h.shared.mu.Lock()
	defer h.shared.mu.Unlock()
	h.shared.askedBy[id] = h.node
}

// AppendAll stores messages for this node.
func (h *handle) AppendAll(ctx context.Context, drafts []skein.Draft) ([]store.Appended, error) {
	for i := range drafts {
		h.asks(drafts[i].ID)
	}
	return h.Store.AppendAll(ctx, drafts)
}

// ChangeMessage changes a message for this node.
func (h *handle) ChangeMessage(ctx context.Context, app string, conv, id skein.ID, by store.Authority, emoji string, decide func(skein.MessageState) (skein.Change, error)) (skein.Change, error) {
	h.asks(id)
	return h.Store.ChangeMessage(ctx, app, conv, id, by, emoji, decide)
}

// cached puts a cache of this node before its store. announce is told what the cache knows.
func (h *handle) cached(announce store.CommitHook) (*cache.Store, error) {
	return cache.Over(func(hook store.CommitHook) (store.Store, error) {
		h.shared.hooks = append(h.shared.hooks, hook)
		return h, nil
	}, cache.Options{
		Trust: cache.TrustAmongNodes,
		Committed: func(sent []skein.Committed) {
			if !h.shared.silent() {
				announce(sent)
			}
		},
	})
}

// EnterSession and the others of store.Sessions are those of all nodes.
func (h *handle) EnterSession(ctx context.Context, l store.Login) (store.Entered, error) {
	return h.shared.sessions.EnterSession(ctx, l)
}

func (h *handle) LeaveSessions(ctx context.Context, all []store.Session) ([]store.Departure, error) {
	return h.shared.sessions.LeaveSessions(ctx, all)
}

func (h *handle) SessionsOf(ctx context.Context, app string, clients []string) ([]store.Session, error) {
	return h.shared.sessions.SessionsOf(ctx, app, clients)
}

func (h *handle) RenewNode(ctx context.Context, node string, lease time.Duration) ([]store.Displaced, bool, error) {
	return h.shared.sessions.RenewNode(ctx, node, lease)
}

func (h *handle) CountNodes(ctx context.Context, ahead time.Duration) (int, error) {
	return h.shared.sessions.CountNodes(ctx, ahead)
}

func (h *handle) ExpireNodes(ctx context.Context) ([]store.Departure, error) {
	return h.shared.sessions.ExpireNodes(ctx)
}

// cripple is a store as delivery reads it: with -chaos.break it keeps something back.
func (h *handle) cripple(s store.Store) store.Store {
	if *breakFlag == "" {
		return s
	}
	return &crippled{Store: s, rosters: map[skein.ID]roster{}}
}

// crippled is a store that delivery cannot rely on.
type crippled struct {
	store.Store

	mu      sync.Mutex
	rosters map[skein.ID]roster // for -chaos.break roster: the first that was read; guarded by mu
}

type roster struct {
	members []skein.Listener
	rev     int64
}

// Changes has none, with -chaos.break changes: no gap in the log of changes is filled.
func (c *crippled) Changes(ctx context.Context, app string, conv skein.ID, r skein.ChangeRange) ([]skein.Change, error) {
	if *breakFlag == "changes" {
		return nil, nil
	}
	return c.Store.Changes(ctx, app, conv, r)
}

// Audience is the first that there was, with -chaos.break roster, however new it must be.
func (c *crippled) Audience(ctx context.Context, app string, conv skein.ID, atLeast int64) ([]skein.Listener, int64, error) {
	if *breakFlag != "roster" {
		return c.Store.Audience(ctx, app, conv, atLeast)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, known := c.rosters[conv]; known {
		return old.members, old.rev, nil
	}
	members, rev, err := c.Store.Audience(ctx, app, conv, atLeast)
	if err == nil {
		c.rosters[conv] = roster{members, rev}
	}
	return members, rev, err
}

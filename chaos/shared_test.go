package chaos

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite"
)

// shared is one store that several nodes write to. Its engine has one commit hook: a commit
// is told to the node that asked for it, and to no other.
type shared struct {
	store.Store

	announce []func([]skein.Committed) // of each node

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
	return s, err
}

// committed is the engine's commit hook. Some commits nobody announces, as if the node had
// died; the others the node that asked for them does.
func (s *shared) committed(all []skein.Committed) {
	for i := range all {
		if node, told := s.note(&all[i]); told {
			s.announce[node](all[i : i+1])
		}
	}
}

func (s *shared) note(m *skein.Committed) (node int, told bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.ends[m.Conv]
	if m.Change != nil {
		at.change = m.Change.Seq
	} else {
		at.seq = m.Seq
	}
	s.ends[m.Conv] = at
	s.commits++
	return s.askedBy[m.ID], s.commits%unannounced != 0
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
	return &handle{Store: s.Store, shared: s, node: node, rosters: map[skein.ID]roster{}}
}

type handle struct {
	store.Store

	shared *shared
	node   int

	mu      sync.Mutex
	rosters map[skein.ID]roster // for -chaos.break roster: the first that was read; guarded by mu
}

type roster struct {
	members []skein.Listener
	rev     int64
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

// deliveryStore is what delivery reads: the store, or with -chaos.break one that keeps
// something from it.
func (h *handle) deliveryStore() store.Store {
	if *breakFlag == "" {
		return h
	}
	return &crippled{handle: h}
}

// crippled is a store that delivery cannot rely on.
type crippled struct{ *handle }

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

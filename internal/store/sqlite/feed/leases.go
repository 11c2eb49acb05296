package feed

import (
	"context"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// leases records which node holds which lease. Only one process serves a file (internal/datadir
// locks it), so leases are in memory: a renewal needs no commit, and a restarted process need
// not wait until the leases of the old one end. Fences and cursors are in the file.
type leases struct {
	mu   sync.Mutex
	held map[string]tenure // by name; guarded by mu
}

// tenure is one node holding a lease.
type tenure struct {
	node  string
	fence int64
	until time.Time
}

// free reports whether node may claim the lease.
func (l *leases) free(name, node string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, held := l.held[name]
	return !held || t.node == node || !now.Before(t.until)
}

// grant records a claim, unless one with a greater fence was granted meanwhile.
func (l *leases) grant(name string, t tenure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = make(map[string]tenure)
	}
	if l.held[name].fence <= t.fence {
		l.held[name] = t
	}
}

// holds reports whether the lease was neither released nor taken over.
func (l *leases) holds(lease store.Lease) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, held := l.held[lease.Name]
	return held && t.fence == lease.Fence
}

// ClaimLease gives a node a lease; see store.Leases. The transaction that takes the fence
// also decides whether the lease is free, so only one of two concurrent claims succeeds.
func (s *Store) ClaimLease(ctx context.Context, name, node string, ttl time.Duration) (store.Lease, bool, error) {
	if !s.leases.free(name, node, s.db.Now()) {
		return store.Lease{}, false, nil
	}
	l := store.Lease{Name: name}
	ok := false
	err := tx.Change(ctx, s.db, func(g group) error {
		if ok = s.leases.free(name, node, s.db.Now()); !ok {
			return nil
		}
		var c feedCursor
		_, err := g.Row(func(r *sqlite3.Stmt) {
			l.Fence = r.ColumnInt64(0)
			l.Kept = r.ColumnType(1) != sqlite3.NULL
			c = feedCursor{message: r.ColumnInt64(1), event: r.ColumnInt64(2), epoch: r.ColumnInt64(3)}
		}, `INSERT INTO leases (name, fence) VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET fence = fence + 1
			RETURNING fence, message_key, event_key, (SELECT epoch FROM history)`, name)
		if err != nil {
			return err
		}
		if l.Kept {
			l.Cursor = c.text()
		}
		s.leases.grant(name, tenure{node, l.Fence, s.db.Now().Add(ttl)})
		return nil
	})
	if err != nil || !ok {
		return store.Lease{}, false, err
	}
	return l, true, nil
}

// RenewLease extends a lease; see store.Leases.
func (s *Store) RenewLease(_ context.Context, l store.Lease, ttl time.Duration) error {
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	t, held := s.leases.held[l.Name]
	if !held || t.fence != l.Fence {
		return store.ErrLeaseLost
	}
	t.until = s.db.Now().Add(ttl)
	s.leases.held[l.Name] = t
	return nil
}

// ReleaseLease ends a lease; see store.Leases.
func (s *Store) ReleaseLease(_ context.Context, l store.Lease) error {
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	if s.leases.held[l.Name].fence == l.Fence {
		delete(s.leases.held, l.Name)
	}
	return nil
}

// KeepCursor stores the cursor of a lease; see store.Leases. The epoch is left out, so the
// cursor is still valid after a restore: a backup holds the same messages up to it.
func (s *Store) KeepCursor(ctx context.Context, l store.Lease, text store.FeedCursor) error {
	return tx.Change(ctx, s.db, func(g group) error {
		if !s.leases.holds(l) {
			return store.ErrLeaseLost
		}
		at, _, err := g.conn().feedFrom(text)
		if err != nil {
			return err
		}
		kept, err := g.Change(`UPDATE leases SET message_key = ?3, event_key = ?4 WHERE name = ?1 AND fence = ?2`, l.Name, l.Fence, at.message, at.event)
		if err == nil && !kept {
			err = store.ErrLeaseLost
		}
		return err
	})
}

package feed

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skein-im/skein/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errAway = errors.New("store is away")

// memory is a store of which the tests decide what goes wrong. A cursor is the number of
// entries behind it, after the letter of the history.
type memory struct {
	mu      sync.Mutex
	history string
	entries []store.Entry
	moved   [][]store.Moved // one page each
	away    bool
	leases  map[string]grant
	kept    map[string]store.FeedCursor
}

type grant struct {
	node  string
	fence int64
	until time.Time
}

func newMemory() *memory {
	return &memory{history: "a", leases: make(map[string]grant), kept: make(map[string]store.FeedCursor)}
}

func (m *memory) cursor(n int) store.FeedCursor {
	return store.FeedCursor(m.history + strconv.Itoa(n))
}

func (m *memory) place(c store.FeedCursor) (int, error) {
	if m.away {
		return 0, errAway
	}
	if c == store.FeedStart {
		return 0, nil
	}
	if string(c[0]) != m.history {
		return 0, store.ErrFeedCursor
	}
	return strconv.Atoi(string(c[1:]))
}

func (m *memory) Feed(_ context.Context, after store.FeedCursor, limit int) ([]store.Entry, store.FeedCursor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.place(after)
	if err != nil {
		return nil, "", err
	}
	end := min(at+limit, len(m.entries))
	return m.entries[at:end], m.cursor(end), nil
}

func (m *memory) FeedEnd(context.Context) (store.FeedCursor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return "", errAway
	}
	return m.cursor(len(m.entries)), nil
}

func (m *memory) Moved(_ context.Context, after store.FeedCursor) ([]store.Moved, store.FeedCursor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.place(after)
	if err != nil || at == len(m.moved) {
		return nil, after, err
	}
	return m.moved[at], m.cursor(at + 1), nil
}

func (m *memory) ClaimLease(_ context.Context, name, node string, ttl time.Duration) (store.Lease, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return store.Lease{}, false, errAway
	}
	g := m.leases[name]
	if g.node != "" && g.node != node && time.Now().Before(g.until) {
		return store.Lease{}, false, nil
	}
	m.leases[name] = grant{node, g.fence + 1, time.Now().Add(ttl)}
	kept, ok := m.kept[name]
	return store.Lease{Name: name, Fence: g.fence + 1, Cursor: kept, Kept: ok}, true, nil
}

func (m *memory) held(l store.Lease) error {
	if m.away {
		return errAway
	}
	if m.leases[l.Name].fence != l.Fence || m.leases[l.Name].node == "" {
		return store.ErrLeaseLost
	}
	return nil
}

func (m *memory) RenewLease(_ context.Context, l store.Lease, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.held(l); err != nil {
		return err
	}
	m.leases[l.Name] = grant{m.leases[l.Name].node, l.Fence, time.Now().Add(ttl)}
	return nil
}

func (m *memory) ReleaseLease(_ context.Context, l store.Lease) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.held(l); err == nil {
		m.leases[l.Name] = grant{fence: l.Fence}
	}
	return nil
}

func (m *memory) KeepCursor(_ context.Context, l store.Lease, c store.FeedCursor) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.held(l); err != nil {
		return err
	}
	m.kept[l.Name] = c
	return nil
}

// change changes what the store holds or does.
func (m *memory) change(how func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	how(m)
}

// commit adds entries with the next seqs.
func (m *memory) commit(n int) {
	m.change(func(m *memory) {
		for range n {
			m.entries = append(m.entries, store.Entry{Kind: store.EntryMessage, Seq: int64(len(m.entries) + 1)})
		}
	})
}

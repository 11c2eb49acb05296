package cache

import (
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/sqlite/sqlitetest"
	"github.com/skein-im/skein/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The contract holds with a memory so small that every read may find it empty or
// full. TestCachesMirrorTheEngine has one that keeps everything.
func TestCachedContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, opt storetest.Options) (a, b store.Store) {
		s := open(t, opt, 64<<10)
		return s, s
	})
}

// Two caches over one engine keep the contract too, if a call on one waits until what the
// other wrote before is old enough.
func TestTwoCachesContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, opt storetest.Options) (a, b store.Store) {
		p := openPair(t, opt, 1<<20)
		return p[0], p[1]
	})
}

// pair is two caches over one engine, as two nodes have them, by one clock.
type pair [2]*lagging

// lagging is one of a pair, which lets time pass before a call that follows one of the
// other.
type lagging struct {
	*Store

	used  *atomic.Pointer[lagging] // last
	clock *atomic.Int64
}

const trust = 2 * time.Second

func (l *lagging) CatchUp() {
	if l.used.Swap(l) != l {
		l.clock.Add(int64(trust))
	}
}

func openPair(t testing.TB, opt storetest.Options, bytes int) (p pair) {
	t.Helper()
	var hooks [2]store.CommitHook
	engine, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: sqlitetest.File(t), Readers: 1, Now: opt.Now, SearchTime: time.Hour,
		Committed: func(sent []skein.Committed) {
			hooks[0](sent) // not the other: it has to find out by itself
			if opt.Committed != nil {
				opt.Committed(sent)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	used, clock := new(atomic.Pointer[lagging]), new(atomic.Int64)
	for i := range p {
		s, err := Over(func(told store.CommitHook) (store.Store, error) {
			hooks[i] = told
			return engine, nil
		}, Options{Bytes: bytes, Trust: trust, Now: func() time.Time { return time.Unix(0, clock.Load()) }})
		if err != nil {
			t.Fatal(err)
		}
		p[i] = &lagging{Store: s, used: used, clock: clock}
	}
	return p
}

func open(t testing.TB, opt storetest.Options, bytes int) *Store {
	t.Helper()
	s, err := Over(func(told store.CommitHook) (store.Store, error) {
		return sqlite.Open(t.Context(), sqlite.Options{
			Path: sqlitetest.File(t), Readers: 1, Now: opt.Now, SearchTime: time.Hour, Committed: told,
		})
	}, Options{Bytes: bytes, Committed: opt.Committed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

package cache

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The contract holds with a memory so small that every read may find it empty or
// full. TestMirrorsTheEngine has one that keeps everything.
func TestCachedContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, opt storetest.Options) (a, b store.Store) {
		s := open(t, opt, 64<<10)
		return s, s
	})
}

func open(t testing.TB, opt storetest.Options, bytes int) *Store {
	t.Helper()
	s, err := Over(func(told store.CommitHook) (store.Store, error) {
		return sqlite.Open(t.Context(), sqlite.Options{
			Path: filepath.Join(t.TempDir(), "skein.db"), Now: opt.Now, Committed: told,
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

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

// The contract holds with a memory that keeps everything, and with one that keeps
// next to nothing, so that every read may find it empty or full.
func TestContract(t *testing.T) {
	for name, bytes := range map[string]int{"large": DefaultBytes, "small": 64 << 10} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T, opt storetest.Options) store.Store { return open(t, opt, bytes) })
		})
	}
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

package sqlite_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSQLite(t *testing.T) { storetest.Run(t, open) }

func open(t *testing.T, opt storetest.Options) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{
		Path:      filepath.Join(t.TempDir(), "skein.db"),
		Committed: opt.Committed,
		Now:       opt.Now,
	})
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

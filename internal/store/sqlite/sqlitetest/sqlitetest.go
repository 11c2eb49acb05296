// Package sqlitetest gives tests an empty store file in a fraction of the time that its
// creation takes. It knows no table.
package sqlitetest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// File returns the path of an empty store with the newest schema, in a directory of its own
// that is removed with the test. The file is a copy of one that this process created once,
// so all of them have the same salt and epoch.
func File(tb testing.TB) string {
	tb.Helper()
	content, err := created()
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), "skein.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// created is the content of a store that was just created.
var created = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "skein-sqlitetest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the content is what counts
	path := filepath.Join(dir, "skein.db")
	err = schema.Bring(context.Background(), schema.Options{Path: path, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path) //nolint:gosec // the one above
})

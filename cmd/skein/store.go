package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/cache"
	"github.com/skein-im/skein/internal/store/sqlite"
)

// What is in --data.
const (
	storeFile  = "skein.db"   // the embedded store; -wal and -shm beside it are SQLite's
	uploadsDir = "uploads"    // of package files
	lockFile   = "serve.lock" // locked by a running server
)

// storeOptions are what a server wants of its store, whatever the engine.
type storeOptions struct {
	Committed  store.CommitHook      // nil: nobody is told
	Log        *slog.Logger          // nil: no log
	Registerer prometheus.Registerer // nil: no metrics
	CacheBytes int                   // of memory before the engine; zero: none
}

// openStore opens the configured store and makes it where there is none. Close
// ends it.
func openStore(ctx context.Context, cfg config.Store, opts storeOptions) (store.Store, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	engine := func(committed store.CommitHook) (store.Store, error) {
		s, err := sqlite.Open(ctx, sqlite.Options{
			Path:      filepath.Join(cfg.Data, storeFile),
			Committed: committed, Now: clock, Log: opts.Log, Registerer: opts.Registerer,
		})
		if err != nil {
			return nil, fmt.Errorf("--data %s: %w", cfg.Data, err)
		}
		return s, nil
	}
	if opts.CacheBytes == 0 {
		return engine(opts.Committed)
	}
	return cache.Over(engine, cache.Options{Bytes: opts.CacheBytes, Committed: opts.Committed, Registerer: opts.Registerer})
}

// withStore lends do the store that is there already. A command that only looks
// must not leave an empty store behind where somebody mistyped --data.
func withStore(ctx context.Context, cfg config.Store, do func(store.Store) error) error {
	if _, err := os.Stat(filepath.Join(cfg.Data, storeFile)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--data: there is no store in %s; `skein serve` and `skein app create` make one", cfg.Data)
	}
	return withNewStore(ctx, cfg, do)
}

// withNewStore is withStore for commands that may make the store.
func withNewStore(ctx context.Context, cfg config.Store, do func(store.Store) error) error {
	s, err := openStore(ctx, cfg, storeOptions{})
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.Close())
}

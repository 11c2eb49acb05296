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
	"github.com/skein-im/skein/internal/store/sqlite/wal"
)

// Files and directories in --data.
const (
	storeFile  = "skein.db"   // the embedded store; SQLite adds -wal and -shm
	uploadsDir = "uploads"    // the folder of package files
	lockFile   = "serve.lock" // locked by a process, whose name and pid it holds
)

// storeOptions are the options of a store that do not depend on its engine.
type storeOptions struct {
	Committed  store.CommitHook      // nil: none
	Log        *slog.Logger          // nil: no log
	Registerer prometheus.Registerer // nil: no metrics
	CacheBytes int                   // memory of the cache before the engine; zero: no cache
	Beside     bool                  // a running server has the store open
	AcceptLoss bool                  // see sqlite.Options
}

// openStore opens the configured store, or creates it. The process must hold the lock of
// --data. The caller must close the store.
func openStore(ctx context.Context, cfg config.Store, opts storeOptions) (store.Store, error) {
	engine := func(committed store.CommitHook) (store.Store, error) {
		s, err := sqlite.Open(ctx, sqlite.Options{
			Path: filepath.Join(cfg.Data, storeFile), Beside: opts.Beside, AcceptLoss: opts.AcceptLoss,
			Committed: committed, Now: clock, Log: opts.Log, Registerer: opts.Registerer,
		})
		if loss, ok := errors.AsType[*wal.LossError](err); ok {
			if opts.Log != nil {
				opts.Log.Error("store has lost writes that were answered", slog.Int64("pages", loss.Pages), slog.Int64("at_byte", loss.Offset), slog.Time("newest", loss.Last))
			}
			return nil, fmt.Errorf("--data %s: %w; restore a backup, or go on without them: skein serve --accept-loss", cfg.Data, err)
		}
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

// withStore calls do with the existing store. It creates none: a command that only reads must
// not leave an empty store behind if the operator mistyped --data.
func withStore(ctx context.Context, cfg config.Store, do func(store.Store) error) error {
	_, err := os.Stat(filepath.Join(cfg.Data, storeFile))
	_, begun := os.Stat(filepath.Join(cfg.Data, restored)) // a restore that was interrupted
	if errors.Is(err, fs.ErrNotExist) && begun != nil {
		return fmt.Errorf("--data: there is no store in %s; `skein serve` and `skein app create` make one", cfg.Data)
	}
	return withNewStore(ctx, cfg, do)
}

// withNewStore is withStore for commands that may create the store.
func withNewStore(ctx context.Context, cfg config.Store, do func(store.Store) error) error {
	s, err := openBeside(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.Close())
}

// openBeside opens the store for a command that may run while a server runs. It does not
// migrate the store of a running server. Without a server it locks --data while it opens
// the store.
func openBeside(ctx context.Context, cfg config.Store) (store.Store, error) {
	if err := makeData(cfg.Data, nil); err != nil {
		return nil, err
	}
	unlock, err := lockData(cfg.Data, "app or token")
	if held, ok := errors.AsType[*heldError](err); ok && held.server {
		return openStore(ctx, cfg, storeOptions{Beside: true})
	}
	if err != nil {
		return nil, err
	}
	if err := settle(cfg.Data); err != nil {
		return nil, errors.Join(err, unlock())
	}
	s, err := openStore(ctx, cfg, storeOptions{})
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	return s, unlock()
}

// placeOf is the absolute path of the store's file.
func placeOf(cfg config.Store) string {
	path := filepath.Join(cfg.Data, storeFile)
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

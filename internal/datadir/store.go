package datadir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/clock"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/seal"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/cache"
	"github.com/skein-im/skein/internal/store/postgres"
	"github.com/skein-im/skein/internal/store/sealed"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/sqlite/wal"
)

// Options are the options of a store that do not depend on its engine.
type Options struct {
	Committed  store.CommitHook      // nil: none
	Log        *slog.Logger          // nil: no log
	Registerer prometheus.Registerer // nil: no metrics
	CacheBytes int                   // memory of the cache before the engine; zero: no cache
	Shared     bool                  // other nodes write to the store too
	Beside     bool                  // a running server has the store open
	AcceptLoss bool                  // see sqlite.Options
	Keys       *seal.Keys            // of --secret-key-file; nil: Open reads them
	Secrets    bool                  // fail if the keys do not open every token secret
}

// Open opens the configured store, or creates it. Of the embedded store the process must hold the
// lock of --data, or say that a server holds it (Beside). The caller must close the store.
func Open(ctx context.Context, cfg config.Store, opts Options) (store.Store, error) {
	engine, err := sealing(ctx, cfg, opts)
	if err != nil {
		return nil, err
	}
	if opts.CacheBytes == 0 {
		return engine(opts.Committed)
	}
	var trust time.Duration
	if opts.Shared || cfg.OnPostgres() { // the operator's commands write there beside the server, too
		trust = cache.TrustAmongNodes
	}
	return cache.Over(engine, cache.Options{Bytes: opts.CacheBytes, Trust: trust, Now: clock.Now, Committed: opts.Committed, Registerer: opts.Registerer})
}

// opener opens an engine with a commit hook.
type opener = func(store.CommitHook) (store.Store, error)

// sealing opens the engine, whose secrets are sealed with the keys of --secret-key-file.
func sealing(ctx context.Context, cfg config.Store, opts Options) (opener, error) {
	engine := embedded(ctx, cfg, opts)
	if cfg.OnPostgres() {
		engine = onPostgres(ctx, cfg, opts)
	}
	keys := opts.Keys
	if keys == nil {
		var err error
		if keys, err = seal.Read(cfg.SecretKeyFile); err != nil {
			return nil, err
		}
	}
	return func(committed store.CommitHook) (store.Store, error) {
		bare, err := engine(committed)
		if err != nil {
			return nil, err
		}
		s := sealed.Over(bare, keys)
		if opts.Secrets {
			if _, missing, err := s.Secrets(ctx); err != nil || missing != nil {
				return nil, errors.Join(err, missing, s.Close())
			}
		}
		return s, nil
	}, nil
}

func onPostgres(ctx context.Context, cfg config.Store, opts Options) opener {
	return func(committed store.CommitHook) (store.Store, error) {
		s, err := postgres.Open(ctx, postgres.Options{
			URL: cfg.Database, Name: connectionName(opts.Beside), Beside: opts.Beside, Committed: committed, Now: clock.Now, Log: opts.Log, Registerer: opts.Registerer,
		})
		if err != nil {
			return nil, fmt.Errorf("--database: %w", err)
		}
		return s, nil
	}
}

// connectionName tells the database, and whoever looks there, which version of the server it is that connects. A command has
// no version.
func connectionName(command bool) string {
	info, ok := debug.ReadBuildInfo()
	if !ok || command || info.Main.Version == "" {
		return "skein"
	}
	return "skein " + info.Main.Version
}

func embedded(ctx context.Context, cfg config.Store, opts Options) opener {
	return func(committed store.CommitHook) (store.Store, error) {
		s, err := sqlite.Open(ctx, sqlite.Options{
			Path: StoreFile(cfg.Data), Beside: opts.Beside, AcceptLoss: opts.AcceptLoss,
			Committed: committed, Now: clock.Now, Log: opts.Log, Registerer: opts.Registerer,
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
}

// WithStore calls do with the existing store. It creates none: a command that only reads must
// not leave an empty store behind if the operator mistyped --data.
func WithStore(ctx context.Context, cfg config.Store, do func(store.Store) error) error {
	if cfg.OnPostgres() {
		return WithNewStore(ctx, cfg, do)
	}
	_, err := os.Stat(StoreFile(cfg.Data))
	_, begun := os.Stat(filepath.Join(cfg.Data, restored)) // a restore that was interrupted
	if errors.Is(err, fs.ErrNotExist) && begun != nil {
		return fmt.Errorf("--data: there is no store in %s; `skein serve` and `skein app create` make one", cfg.Data)
	}
	return WithNewStore(ctx, cfg, do)
}

// WithSecrets is WithStore for commands that work on the sealed secrets.
func WithSecrets(ctx context.Context, cfg config.Store, do func(*sealed.Store) error) error {
	return WithStore(ctx, cfg, func(s store.Store) error {
		secrets, ok := s.(*sealed.Store) // what openBeside opens has no cache
		if !ok {
			return fmt.Errorf("the store is a %T", s)
		}
		return do(secrets)
	})
}

// WithNewStore is WithStore for commands that may create the store.
func WithNewStore(ctx context.Context, cfg config.Store, do func(store.Store) error) error {
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
	if cfg.OnPostgres() {
		return Open(ctx, cfg, Options{Beside: true})
	}
	if err := Make(cfg.Data, nil); err != nil {
		return nil, err
	}
	unlock, err := Lock(cfg.Data, "app or token")
	if held, ok := errors.AsType[*HeldError](err); ok && held.Server {
		return Open(ctx, cfg, Options{Beside: true})
	}
	if err != nil {
		return nil, err
	}
	if err := Settle(cfg.Data); err != nil {
		return nil, errors.Join(err, unlock())
	}
	s, err := Open(ctx, cfg, Options{})
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	return s, unlock()
}

// Describe tells an operator where the configured store is.
func Describe(cfg config.Store) string {
	if u, err := url.Parse(cfg.Database); err == nil && cfg.OnPostgres() {
		return u.Redacted()
	}
	path := StoreFile(cfg.Data)
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

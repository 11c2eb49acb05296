// Package sqlite implements package store with an embedded SQLite file. It keeps
// clients, conversations and members itself and puts the table packages together. It knows
// no use case.
package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sessions"
	"github.com/skein-im/skein/internal/store/sqlite/admin"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/feed"
	"github.com/skein-im/skein/internal/store/sqlite/inbox"
	"github.com/skein-im/skein/internal/store/sqlite/messages"
	"github.com/skein-im/skein/internal/store/sqlite/query"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
	"github.com/skein-im/skein/internal/store/sqlite/transfer"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
	"github.com/skein-im/skein/internal/store/sqlite/uploads"
)

// Options say where the store is and what bounds it.
type Options struct {
	Path       string                // the file, created if it does not exist; its directory exists
	Beside     bool                  // another process serves the file: do not migrate it; see schema.ErrOldSchema
	AcceptLoss bool                  // continue even if the log lacks answered writes; see wal.LossError
	Committed  store.CommitHook      // nil: none
	Now        func() time.Time      // decides when bans, mutes and conversations end; nil: time.Now
	Log        *slog.Logger          // nil: no log
	QueueJobs  int                   // writes that may wait; default 16,384. An app may hold as many as it leaves free; more are refused at once
	QueueBytes int                   // memory of waiting writes; default 64 MiB; shared likewise
	Readers    int                   // concurrent reads by key, and at most as many by callers and by searches; default 4; more wait
	SearchTime time.Duration         // the longest search; default 1 s; longer ones are refused
	Registerer prometheus.Registerer // nil: no metrics

	// For tests; zero: the engine's.
	logPages    int
	groupBudget time.Duration
	quickTime   time.Duration
}

// Defaults of Options.
const (
	DefaultQueueJobs  = 16_384
	DefaultQueueBytes = 64 << 20
	DefaultReaders    = 4
)

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.QueueJobs == 0 {
		o.QueueJobs = DefaultQueueJobs
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = DefaultQueueBytes
	}
	if o.Readers == 0 {
		o.Readers = DefaultReaders
	}
	return o
}

// The table packages implement the other methods of the store. The names keep the embedded
// Stores from hiding each other.
type (
	adminStore    = admin.Store
	messageStore  = messages.Store
	inboxStore    = inbox.Store
	queryStore    = query.Store
	uploadStore   = uploads.Store
	transferStore = transfer.Store
	feedStore     = feed.Store
)

// Store is an open file. Several processes may have the same file open. Safe for concurrent
// use.
type Store struct {
	*sessions.Table

	*adminStore
	*messageStore
	*inboxStore
	*queryStore
	*uploadStore
	*transferStore
	*feedStore

	db *tx.DB
}

type connection struct{ tx.Conn }

type group struct{ *tx.Group }

func (g group) conn() connection { return connection{g.Conn} }

var _ store.Store = (*Store)(nil)

// Open opens the file, migrates its schema and starts the writer; Close ends it. Open
// refuses a file that is no store, or whose schema this binary does not know, and leaves it
// unchanged. The context bounds only the opening.
// Errors: *wal.LossError, schema.ErrOldSchema.
func Open(ctx context.Context, opt Options) (*Store, error) {
	opt = opt.withDefaults()
	path, err := filepath.Abs(opt.Path)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	err = schema.Bring(ctx, schema.Options{Path: path, Beside: opt.Beside, AcceptLoss: opt.AcceptLoss, Now: opt.Now, Log: opt.Log})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db, err := tx.Open(engine.Options{
		Path: path, Now: opt.Now, Log: opt.Log, QueueJobs: opt.QueueJobs, QueueBytes: opt.QueueBytes, Readers: opt.Readers, Registerer: opt.Registerer,
		LogPages: opt.logPages, GroupBudget: opt.groupBudget, QuickTime: opt.quickTime, SearchTime: opt.SearchTime,
	}, opt.Committed)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{
		adminStore: admin.New(db), messageStore: messages.New(db), inboxStore: inbox.New(db), queryStore: query.New(db),
		uploadStore: uploads.New(db), transferStore: transfer.New(db), feedStore: feed.New(db), db: db,
	}
	s.Table = sessions.New(s.firstGeneration, s.nextStamp, opt.Now)
	return s, nil
}

// Close commits the queued writes, waits for running reads and closes the file. Later calls
// return ErrUnavailable. A second Close does nothing.
func (s *Store) Close() error { return s.db.Close() }

// Ping reports whether the store can be read now. Errors: ErrUnavailable; engine.ErrDamaged.
func (s *Store) Ping(ctx context.Context) error {
	if s.db.Engine().Damaged() {
		return engine.ErrDamaged
	}
	return tx.Caller(ctx, s.db, "", func(c connection) error {
		_, err := c.Row(nil, `SELECT 1 FROM apps LIMIT 1`)
		return err
	})
}

// Secret is the salt of the store; see store.Upkeep.
func (s *Store) Secret() []byte { return slices.Clone(s.db.Salt) }

// NewEpoch invalidates every cursor given out so far; see store.Upkeep.
func (s *Store) NewEpoch(ctx context.Context) error {
	return tx.Change(ctx, s.db, func(g group) error {
		return g.Exec(schema.NewEpoch)
	})
}

// Package postgres implements package store on PostgreSQL, for any number of nodes. It keeps
// clients, conversations and members itself and puts the table packages together. It
// knows no use case. docs/decisions has the reasons behind keys, locks, stamps and batches.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/pace"
	"github.com/skein-im/skein/internal/store/postgres/admin"
	"github.com/skein-im/skein/internal/store/postgres/committer"
	"github.com/skein-im/skein/internal/store/postgres/engine"
	"github.com/skein-im/skein/internal/store/postgres/feed"
	"github.com/skein-im/skein/internal/store/postgres/inbox"
	"github.com/skein-im/skein/internal/store/postgres/messages"
	"github.com/skein-im/skein/internal/store/postgres/purge"
	"github.com/skein-im/skein/internal/store/postgres/query"
	"github.com/skein-im/skein/internal/store/postgres/sessions"
	"github.com/skein-im/skein/internal/store/postgres/transfer"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/postgres/uploads"
)

// Options say where the database is and what bounds its use.
type Options struct {
	URL        string                // postgres://user:password@host:port/database?…; never logged
	Name       string                // application_name; default "skein"
	Beside     bool                  // another process serves the database: it is not migrated; see engine.ErrOldSchema
	Committed  store.CommitHook      // nil: nobody is told
	Now        func() time.Time      // for terms: bans, mutes, ends of conversations; nil: time.Now
	Log        *slog.Logger          // nil: no log
	Conns      int                   // connections; default engine.DefaultConns
	Limit      time.Duration         // the longest statement; default engine.DefaultLimit
	SearchTime time.Duration         // the longest statement of a search; default 1 s; longer ones are refused
	Registerer prometheus.Registerer // nil: no metrics
	Dial       engine.Dial           // opens connections; nil: see engine.Options
	Pace       pace.Options          // when a group commit of messages begins; see committer.Options
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// clock is what leases end by: the database's clock, which all nodes share, unless another one
// was given. nil stands for the database's.
func (o Options) clock() func() *int64 {
	now := o.Now
	if now == nil {
		return func() *int64 { return nil }
	}
	return func() *int64 {
		at := now().UnixMilli()
		return &at
	}
}

// The table packages implement the other methods of the store. The names keep the embedded
// Stores from hiding each other.
type (
	adminStore    = admin.Store
	appendStore   = committer.Store
	feedStore     = feed.Store
	inboxStore    = inbox.Store
	messageStore  = messages.Store
	purgeStore    = purge.Store
	queryStore    = query.Store
	sessionStore  = sessions.Store
	transferStore = transfer.Store
	uploadStore   = uploads.Store
)

// Store is an open database. Any number of processes may have the same database open. Safe
// for concurrent use.
type Store struct {
	*adminStore
	*appendStore
	*feedStore
	*inboxStore
	*messageStore
	*purgeStore
	*queryStore
	*sessionStore
	*transferStore
	*uploadStore

	db *tx.DB
}

var _ store.Store = (*Store)(nil)

// Open connects to the database, migrates its schema and starts the committer; Close ends it.
// The context bounds only the opening. Errors: engine.ErrOldSchema, engine.ErrUnsafe.
func Open(ctx context.Context, opt Options) (*Store, error) {
	clock := opt.clock()
	opt = opt.withDefaults()
	db, err := tx.Open(ctx, engine.Options{
		URL: opt.URL, Name: opt.Name, Conns: opt.Conns, Limit: opt.Limit, Log: opt.Log, Beside: opt.Beside,
		SearchTime: opt.SearchTime, Registerer: opt.Registerer, Dial: opt.Dial,
	}, opt.Now, opt.Committed)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{
		adminStore: admin.New(db), feedStore: feed.New(db, clock), inboxStore: inbox.New(db), messageStore: messages.New(db), purgeStore: purge.New(db), queryStore: query.New(db),
		transferStore: transfer.New(db), uploadStore: uploads.New(db), db: db,
	}
	s.appendStore = committer.New(db, committer.Options{Pace: opt.Pace})
	s.sessionStore = sessions.New(db.Engine, clock)
	if err := s.settle(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.Close())
	}
	return s, nil
}

// Close commits the queued writes, waits for calls under way and closes the connections.
// Later calls return ErrUnavailable. A second Close does nothing.
func (s *Store) Close() error {
	s.CloseCommitter()
	s.sessionStore.Close()
	return s.db.Close()
}

// Ping reports whether the database can be read now. Errors: ErrUnavailable.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Secret is the salt of the store; see store.Upkeep.
func (s *Store) Secret() []byte { return slices.Clone(s.db.Salt) }

// Package sqlite is the embedded engine of the store: one file, one writer, group
// commit. It knows no use case: it keeps the promises of package store and no
// others.
//
// Every write is a job in one queue, from which apps get equal shares of the writer's
// time. One goroutine takes the jobs that wait, as many as there is time for in one
// commit, runs them in one transaction, syncs once, and answers them all, so the price
// of a sync is shared by as many calls as came in during the sync before. Reads use
// their own connections and never wait for a write.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sessions"
)

// Options say where the store is and what bounds it.
type Options struct {
	Path       string                // the file, made if it is not there; its directory exists
	Beside     bool                  // another process serves the file: it is not migrated; see ErrOldSchema
	AcceptLoss bool                  // go on where the log does not hold all that was answered; see LossError
	Committed  store.CommitHook      // nil: nobody is told
	Now        func() time.Time      // for terms: bans, mutes, ends of conversations; nil: time.Now
	Log        *slog.Logger          // nil: no log
	QueueJobs  int                   // writes that may wait; default 16,384; an app may hold as many as it leaves free, beyond it is refused at once
	QueueBytes int                   // memory of the writes that wait; default 64 MiB; shared likewise
	Readers    int                   // reads by key at the same moment; default 4; more wait for one of these
	Registerer prometheus.Registerer // nil: no metrics

	// For tests; zero: the constant of the name.
	logPages    int
	groupBudget time.Duration
	quickTime   time.Duration
	searchTime  time.Duration
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
	if o.logPages == 0 {
		o.logPages = logPages
	}
	if o.groupBudget == 0 {
		o.groupBudget = groupBudget
	}
	if o.quickTime == 0 {
		o.quickTime = quickTime
	}
	if o.searchTime == 0 {
		o.searchTime = searchTime
	}
	return o
}

// Store is an open file. Several processes may have the same file open.
type Store struct {
	*sessions.Table

	now     func() time.Time
	log     *slog.Logger
	metrics *metrics
	writer  *writer

	// See reads.go.
	callers, readers, searchers *readers
	quickTime, searchTime       time.Duration
	ended                       share.Warning // of searches that took too long

	releasedApp atomic.Int64 // where ReleaseUploads goes on

	damage   *damage
	closing  sync.Once
	closeErr error
}

var _ store.Store = (*Store)(nil)

// Open opens the file, brings its schema up to date and starts the writer; Close
// ends it. A file that is no store, or of a schema that this binary does not know, is
// refused and left as it was. The context bounds the opening alone.
// Errors: *LossError, ErrOldSchema.
func Open(ctx context.Context, opt Options) (*Store, error) {
	opt = opt.withDefaults()
	// An absolute path never looks like a URI or one of SQLite's own names.
	path, err := filepath.Abs(opt.Path)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	opt.Path = path
	if err := bring(ctx, opt); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	metrics, err := newMetrics(opt.Registerer)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	found := &damage{log: opt.Log, met: metrics.corrupt}
	writer, err := startWriter(opt, metrics, found)
	if err != nil {
		metrics.unregister()
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{
		now: opt.Now, log: opt.Log, metrics: metrics, writer: writer, damage: found,
		quickTime: opt.quickTime, searchTime: opt.searchTime,
	}
	s.Table = sessions.New(s.firstGeneration, opt.Now)
	if err := s.openReaders(opt); err != nil {
		return nil, fmt.Errorf("open store: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

// openReaders opens the sets of readers.
func (s *Store) openReaders(opt Options) error {
	for _, set := range []struct {
		at     **readers
		name   string
		size   int
		parted bool
	}{
		{&s.callers, "caller", callerReaders, false},
		{&s.readers, "read", opt.Readers, false},
		{&s.searchers, "search", searchers, true},
	} {
		opened, err := openReaders(opt.Path, set.size, set.parted, s.metrics.wait.WithLabelValues(set.name))
		if err != nil {
			return err
		}
		opened.damage = s.damage
		*set.at = opened
	}
	return nil
}

// Close commits what was taken, waits for the reads under way and lets go of the
// file. Calls after it answer ErrUnavailable; closing twice is closing once.
func (s *Store) Close() error {
	s.closing.Do(func() {
		for _, set := range []*readers{s.callers, s.readers, s.searchers} {
			if set != nil {
				s.closeErr = errors.Join(s.closeErr, set.close())
			}
		}
		s.closeErr = errors.Join(s.closeErr, s.writer.close())
	})
	return s.closeErr
}

// Ping reports whether the store can be read now. Errors: ErrUnavailable; ErrDamaged.
func (s *Store) Ping(ctx context.Context) error {
	if s.damage.found.Load() {
		return ErrDamaged
	}
	return s.caller(ctx, "", func(c *connection) error {
		_, err := c.row(nil, `SELECT 1 FROM apps LIMIT 1`)
		return err
	})
}

func (s *Store) millis() skein.Millis { return skein.MillisOf(s.now()) }

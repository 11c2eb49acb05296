// Package committer stores the messages that a node is given: it takes whatever waits into one
// transaction, under the locks of the conversations, and answers after the commit.
package committer

import (
	"time"

	"github.com/skein-im/skein/internal/store/pace"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// Store is the methods of the store that this package has.
type Store struct {
	db        *tx.DB
	committer *committer
}

// Options configure the committer.
type Options struct {
	Jobs  int // messages; default 16,384; an app may hold as many as it leaves free
	Bytes int // memory; default 64 MiB; shared likewise

	Pace pace.Options // when a batch begins; default interval commitInterval
}

// commitInterval is about the time between two commits at a rate at which waiting gathers more
// messages; see pace.Options. A commit is two round trips and up to a millisecond of processor
// time, so it is longer than the embedded engine's. With it a message to another node stays
// within 10 ms.
const commitInterval = 5 * time.Millisecond

// Defaults of Options.
const (
	DefaultJobs  = 16_384
	DefaultBytes = 64 << 20
)

// New starts the committer of a database; CloseCommitter ends it.
func New(db *tx.DB, opt Options) *Store {
	if opt.Jobs == 0 {
		opt.Jobs = DefaultJobs
	}
	if opt.Bytes == 0 {
		opt.Bytes = DefaultBytes
	}
	if opt.Pace.Interval == 0 {
		opt.Pace.Interval = commitInterval
	}
	return &Store{db: db, committer: startCommitter(db, opt)}
}

// Queued is how many messages wait for a commit.
func (s *Store) Queued() int { return s.committer.queue.Depth() }

// CloseCommitter commits the messages that wait and ends the committer.
func (s *Store) CloseCommitter() { s.committer.close() }

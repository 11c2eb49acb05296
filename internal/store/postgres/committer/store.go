// Package committer stores the messages that a node is given: it takes whatever waits into one
// transaction, under the locks of the conversations, and answers after the commit.
package committer

import (
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// Store is the methods of the store that this package has.
type Store struct {
	db        *tx.DB
	committer *committer
}

// Options bound what waits for the committer.
type Options struct {
	Jobs  int // messages; default 16,384; an app may hold as many as it leaves free
	Bytes int // memory; default 64 MiB; shared likewise
}

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
	return &Store{db: db, committer: startCommitter(db, opt)}
}

// CloseCommitter commits the messages that wait and ends the committer.
func (s *Store) CloseCommitter() { s.committer.close() }

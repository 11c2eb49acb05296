// Package feed reads the feed of everything that was committed, and keeps leases and named
// cursors for its readers.
package feed

import "github.com/skein-im/skein/internal/store/postgres/tx"

// Store is the methods of the store that this package has.
type Store struct {
	db    *tx.DB
	clock func() *int64
}

// New reads and writes a database. clock answers the milliseconds by which leases end; where
// it answers nil the database's clock does.
func New(db *tx.DB, clock func() *int64) *Store { return &Store{db: db, clock: clock} }

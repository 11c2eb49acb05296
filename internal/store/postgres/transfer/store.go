// Package transfer exports and imports apps, record by record. The rules are those of
// store/transfer.
package transfer

import "github.com/skein-im/skein/internal/store/postgres/tx"

// Store is the methods of the store that this package has.
type Store struct {
	db *tx.DB
}

// New reads and writes a database.
func New(db *tx.DB) *Store { return &Store{db: db} }

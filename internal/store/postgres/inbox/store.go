// Package inbox reads a client's view of its conversations: lists, unread counts and sync.
package inbox

import "github.com/skein-im/skein/internal/store/postgres/tx"

// Store is the methods of the store that this package has.
type Store struct {
	db *tx.DB
}

// New reads a database.
func New(db *tx.DB) *Store { return &Store{db: db} }

type connection struct{ tx.Conn }

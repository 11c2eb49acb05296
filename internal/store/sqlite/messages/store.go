// Package messages keeps messages: appending, retries, history, changes, reactions, pins,
// what clients hide for themselves, and erasure.
package messages

import "github.com/skein-im/skein/internal/store/sqlite/tx"

// Store is the methods of the store that this package has.
type Store struct {
	db *tx.DB
}

// New reads and writes a database.
func New(db *tx.DB) *Store { return &Store{db: db} }

type connection struct{ tx.Conn }

type group struct{ *tx.Group }

func (g group) conn() connection { return connection{g.Conn} }

// Package messages keeps what becomes of messages: history, changes, reactions, pins, what
// clients hide for themselves, and erasure.
package messages

import "github.com/skein-im/skein/internal/store/postgres/tx"

// Store is the methods of the store that this package has.
type Store struct{ db *tx.DB }

// New reads and writes a database.
func New(db *tx.DB) *Store { return &Store{db: db} }

// connection reads; its methods are this package's queries.
type connection struct{ tx.Conn }

// transaction writes; its methods are this package's writes.
type transaction struct{ *tx.Tx }

func (t transaction) conn() connection { return connection{t.Conn} }

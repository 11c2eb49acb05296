// Package transfer exports and imports apps, record by record.
package transfer

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

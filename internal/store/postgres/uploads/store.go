// Package uploads records which files exist, what names them, and which may be removed.
package uploads

import (
	"sync/atomic"

	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// Store is the methods of the store that this package has.
type Store struct {
	db *tx.DB

	releasedApp atomic.Int64 // key of the app where ReleaseUploads continues
}

// New reads and writes a database.
func New(db *tx.DB) *Store { return &Store{db: db} }

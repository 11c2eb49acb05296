// Package uploads keeps which files there are, what names them and which may go.
package uploads

import (
	"sync/atomic"

	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Store is the methods of the store that this package has.
type Store struct {
	db *tx.DB

	releasedApp atomic.Int64 // where ReleaseUploads goes on
}

// New reads and writes a database.
func New(db *tx.DB) *Store { return &Store{db: db} }

type connection struct{ tx.Conn }

type group struct{ *tx.Group }

func (g group) conn() connection { return connection{g.Conn} }

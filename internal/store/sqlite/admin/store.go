// Package admin keeps what belongs to the installation: apps, operators and the audit log.
package admin

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Store is the methods of the store that this package has.
type Store struct {
	db *tx.DB
}

// New reads and writes a database.
func New(db *tx.DB) *Store { return &Store{db: db} }

type connection struct{ tx.Conn }

// group is also the transaction of a deed; it never waits, and so needs no context.
type group struct{ *tx.Group }

var _ store.AdminTx = group{}

func (g group) conn() connection { return connection{g.Conn} }

// Administer does a deed; see store.Admin.
func (s *Store) Administer(ctx context.Context, do func(context.Context, store.AdminTx) (skein.Deed, error)) (skein.Deed, error) {
	return tx.Write(ctx, s.db, tx.Job{Bytes: tx.SmallJob}, func(g group) (skein.Deed, error) {
		deed, err := do(ctx, g)
		if err != nil {
			return deed, err
		}
		return Record(g.Group, deed)
	})
}

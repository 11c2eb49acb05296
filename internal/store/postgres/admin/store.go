// Package admin keeps what belongs to the installation: apps, operators and the audit log.
package admin

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// Store is the methods of the store that this package has.
type Store struct {
	db *tx.DB
}

// New reads and writes a database.
func New(db *tx.DB) *Store { return &Store{db: db} }

// deedTx is the transaction of a deed. It takes its locks in this order: that of the operators,
// the rows of apps, that of the audit log.
type deedTx struct{ *tx.Tx }

var _ store.AdminTx = deedTx{}

// Locks of PostgreSQL that a transaction holds until its end. The numbers are arbitrary.
const (
	operatorsLock = 0x736b65696e01
	auditLock     = 0x736b65696e02
)

func (t deedTx) lock(ctx context.Context, lock int64) error {
	_, err := t.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lock)
	return err
}

// Administer does a deed; see store.Admin.
func (s *Store) Administer(ctx context.Context, do func(context.Context, store.AdminTx) (skein.Deed, error)) (skein.Deed, error) {
	return tx.Result(ctx, s.db, "", func(ctx context.Context, t *tx.Tx) (skein.Deed, error) {
		deed, err := do(ctx, deedTx{t})
		if err != nil {
			return deed, err
		}
		return Record(ctx, t, deed)
	})
}

package postgres

import (
	"context"
	"math/rand/v2"

	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// maxEpoch bounds epochs to numbers that every reader of JSON holds.
const maxEpoch = 1 << 53

// NewEpoch invalidates every cursor given out so far; see store.Upkeep. A dump that was
// restored into another cluster has stamps of transaction ids that the cluster has not reached.
// So the base is raised above all of them. It finds them by reading whole tables.
func (s *Store) NewEpoch(ctx context.Context) error {
	return s.db.Write(ctx, func(ctx context.Context, t *tx.Tx) error {
		if _, err := t.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		_, err := t.Exec(ctx, `UPDATE history SET epoch = $1, base = greatest(base, 1 - pg_current_xact_id()::text::bigint + greatest(
			forgotten, events_forgotten, batches_forgotten,
			(SELECT max(xid) FROM batches), (SELECT max(xid) FROM events), (SELECT max(xid) FROM cuts),
			(SELECT max(moved) FROM conversations), (SELECT max(moved) FROM members), (SELECT max(moved) FROM departures)))`,
			1+rand.Int64N(maxEpoch)) //nolint:gosec // it need not be secret
		return err
	})
}

// FillUploads has nothing to do: every version that wrote to PostgreSQL stored what names a
// file.
func (s *Store) FillUploads(context.Context) (more bool, err error) { return false, nil }

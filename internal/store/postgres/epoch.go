package postgres

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// maxEpoch bounds epochs to numbers that every reader of JSON holds.
const maxEpoch = 1 << 53

// NewEpoch invalidates every cursor given out so far; see store.Upkeep. A dump that was
// restored into another cluster has stamps of transaction ids that the cluster has not reached.
// So the base is raised above all of them. It finds them by reading whole tables.
func (s *Store) NewEpoch(ctx context.Context) error {
	return s.db.Write(ctx, "", newEpoch)
}

func newEpoch(ctx context.Context, t *tx.Tx) error {
	// Another new epoch waits here, and then sees what this one raised.
	_, err := t.Exec(ctx, `SET LOCAL statement_timeout = 0; SELECT 1 FROM history FOR UPDATE`)
	if err == nil {
		_, err = t.Exec(ctx, `UPDATE history SET epoch = $1, base = greatest(base, 1 - pg_current_xact_id()::text::bigint + greatest(
			forgotten, events_forgotten, batches_forgotten,
			(SELECT max(xid) FROM batches), (SELECT max(xid) FROM events), (SELECT max(xid) FROM cuts),
			(SELECT max(moved) FROM conversations), (SELECT max(moved) FROM members), (SELECT max(moved) FROM departures)))`,
			1+rand.Int64N(maxEpoch)) //nolint:gosec // it need not be secret
	}
	return err
}

// settle makes the stamps of this cluster of PostgreSQL greater than all that are stored. By
// themselves they are not after a crash or a promotion, and not where a dump was restored into
// another database. That is another history too, so it gets a new epoch.
func (s *Store) settle(ctx context.Context) error {
	const here = `((SELECT system_identifier FROM pg_control_system())::text || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())::text)`
	settled := false
	err := s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		return c.QueryRow(ctx, `SELECT place IS NOT DISTINCT FROM `+here+` AND EXISTS (SELECT 1 FROM refill) FROM history`).Scan(&settled)
	})
	if err != nil || settled {
		return err
	}
	return s.db.Write(ctx, "", func(ctx context.Context, t *tx.Tx) error {
		var moved bool
		err := t.QueryRow(ctx, `SELECT place IS DISTINCT FROM `+here+` FROM history FOR UPDATE`).Scan(&moved)
		if err == nil {
			err = tx.Refill(ctx, t, nil, settleLease)
		}
		if err != nil || !moved {
			return err
		}
		if err := newEpoch(ctx, t); err != nil {
			return err
		}
		_, err = t.Exec(ctx, `UPDATE history SET place = `+here)
		return err
	})
}

// settleLease is at least the lease of a node: until then not all nodes may have entered their
// sessions again.
const settleLease = 5 * time.Second

// FillUploads has nothing to do: every version that wrote to PostgreSQL stored what names a
// file.
func (s *Store) FillUploads(context.Context) (more bool, err error) { return false, nil }

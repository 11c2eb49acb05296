package feed

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// ClaimLease gives a node a lease; see store.Leases. Of concurrent claims the first locks the
// row, and the others see what it made of it.
func (s *Store) ClaimLease(ctx context.Context, name, node string, ttl time.Duration) (store.Lease, bool, error) {
	l, ok := store.Lease{Name: name}, false
	err := s.db.Write(ctx, "", func(ctx context.Context, t *tx.Tx) (err error) {
		var cursor *string
		var epoch int64
		epoch, err = tx.ReadEpoch(t.QueryRow(ctx, `INSERT INTO leases AS l (name, node, fence, until) VALUES ($1, $2, 1, clock($3) + $4)
			ON CONFLICT (name) DO UPDATE SET fence = l.fence + 1, node = excluded.node, until = clock($3) + $4
				WHERE l.node IN (excluded.node, '') OR l.until <= clock($3)
			RETURNING fence, cursor, `+tx.EpochColumns, name, node, s.clock(), ttl.Milliseconds()), &l.Fence, &cursor)
		ok, err = tx.Found(err)
		if l.Kept = ok && cursor != nil; l.Kept {
			l.Cursor = store.FeedCursor(strconv.FormatInt(epoch, 10) + "." + *cursor)
		}
		return err
	})
	if err != nil || !ok {
		return store.Lease{}, false, err
	}
	return l, true, nil
}

// RenewLease extends a lease; see store.Leases.
func (s *Store) RenewLease(ctx context.Context, l store.Lease, ttl time.Duration) error {
	return s.write(ctx, l, `UPDATE leases SET until = clock($3) + $4 WHERE name = $1 AND fence = $2 AND node <> ''`, s.clock(), ttl.Milliseconds())
}

// ReleaseLease ends a lease; see store.Leases.
func (s *Store) ReleaseLease(ctx context.Context, l store.Lease) error {
	return s.db.Write(ctx, "", func(ctx context.Context, t *tx.Tx) error {
		_, err := t.Exec(ctx, `UPDATE leases SET node = '', until = 0 WHERE name = $1 AND fence = $2`, l.Name, l.Fence)
		return err
	})
}

// KeepCursor stores the cursor of a lease; see store.Leases. The epoch is left out, so the
// cursor is still valid after a restore: a backup holds the same transactions up to it.
func (s *Store) KeepCursor(ctx context.Context, l store.Lease, text store.FeedCursor) error {
	return s.db.Write(ctx, "", func(ctx context.Context, t *tx.Tx) error {
		_, kept, _ := strings.Cut(string(text), ".")
		if err := write(ctx, t, l, `UPDATE leases SET cursor = $3 WHERE name = $1 AND fence = $2 AND node <> ''`, kept); err != nil {
			return err
		}
		limits, err := readLimits(ctx, t.Conn)
		if err != nil {
			return err
		}
		_, err = limits.from(text)
		return err
	})
}

// write changes the row of a lease. Errors: ErrLeaseLost.
func (s *Store) write(ctx context.Context, l store.Lease, sql string, args ...any) error {
	return s.db.Write(ctx, "", func(ctx context.Context, t *tx.Tx) error { return write(ctx, t, l, sql, args...) })
}

func write(ctx context.Context, t *tx.Tx, l store.Lease, sql string, args ...any) error {
	tag, err := t.Exec(ctx, sql, append([]any{l.Name, l.Fence}, args...)...)
	if err == nil && tag.RowsAffected() == 0 {
		err = store.ErrLeaseLost
	}
	return err
}

package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// errChanged is what a transaction answers that must run again: what it read before it had
// its locks has changed meanwhile.
var errChanged = errors.New("changed by another transaction")

// maxChanged bounds how often a transaction runs again because of errChanged.
const maxChanged = 50

// settled is tx.Result, run again while fn answers errChanged.
func settled[T any](ctx context.Context, db *tx.DB, fn func(context.Context, *tx.Tx) (T, error)) (answer T, err error) {
	for range maxChanged {
		if answer, err = tx.Result(ctx, db, fn); !errors.Is(err, errChanged) {
			return answer, err
		}
	}
	return answer, fmt.Errorf("%w: %w", skein.ErrUnavailable, err)
}

// collect reads the rows of a query that may have failed.
func collect[T any](found pgx.Rows, err error, read func(pgx.CollectableRow) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return pgx.AppendRows([]T(nil), found, read)
}

// collectList reads the rows of a query of one column.
func collectList[T any](found pgx.Rows, err error) ([]T, error) {
	return collect(found, err, pgx.RowTo[T])
}

// collectMap reads the rows of a query of two columns: a key and its value.
func collectMap[K comparable, V any](found pgx.Rows, err error) (map[K]V, error) {
	if err != nil {
		return nil, err
	}
	defer found.Close()
	all := make(map[K]V)
	for found.Next() {
		var key K
		var value V
		if err := found.Scan(&key, &value); err != nil {
			return nil, err
		}
		all[key] = value
	}
	return all, found.Err()
}

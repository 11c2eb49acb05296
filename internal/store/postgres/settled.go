package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// errChanged is what a transaction answers that must run again: what it read before it had
// its locks has changed meanwhile.
var errChanged = errors.New("changed by another transaction")

// maxChanged bounds how often a transaction runs again because of errChanged.
const maxChanged = 50

// settled is tx.Result, run again while fn answers errChanged.
func settled[T any](ctx context.Context, db *tx.DB, app string, fn func(context.Context, *tx.Tx) (T, error)) (answer T, err error) {
	for range maxChanged {
		if answer, err = tx.Result(ctx, db, app, fn); !errors.Is(err, errChanged) {
			return answer, err
		}
	}
	return answer, fmt.Errorf("%w: %w", skein.ErrUnavailable, err)
}

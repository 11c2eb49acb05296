package sqlite

import (
	"context"
	"errors"

	"github.com/skein-im/skein"
)

// What is not written yet.
var errPending = errors.New("not written yet")

func (s *Store) Sync(context.Context, string, string, skein.SyncCursor, int) (skein.SyncPage, error) {
	return skein.SyncPage{}, errPending
}

func (s *Store) NewEpoch(context.Context) error { return errPending }

package chat

import (
	"context"

	"github.com/skein-im/skein"
)

// Sync is what has changed for a client since a cursor, at most limit
// conversations. Errors: skein.ErrUnknownClient.
func (s *Service) Sync(ctx context.Context, by skein.Actor, client string, after skein.SyncCursor, limit int) (skein.SyncPage, error) {
	if err := s.known(ctx, by, client); err != nil {
		return skein.SyncPage{}, err
	}
	page, err := s.store.Sync(ctx, by.App.ID, client, after, limit)
	for i := range page.Views {
		shown(by, &page.Views[i])
	}
	return page, err
}

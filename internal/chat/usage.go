package chat

import (
	"context"

	"github.com/skein-im/skein"
)

// Usage lists what the caller's app used, from the first day to the last.
func (s *Service) Usage(ctx context.Context, by skein.Actor, first, last skein.Day) ([]skein.Usage, error) {
	return s.store.Usage(ctx, by.App.ID, first, last)
}

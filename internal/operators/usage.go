package operators

import (
	"context"

	"github.com/skein-im/skein"
)

// Usage lists what an app used, from the first day to the last. Errors: skein.ErrNotFound.
func (s *Service) Usage(ctx context.Context, app string, first, last skein.Day) ([]skein.Usage, error) {
	if _, err := s.App(ctx, app); err != nil {
		return nil, err
	}
	return s.opts.Store.Usage(ctx, app, first, last)
}

// Keys returns an app and when its keys were last used, by name. Errors: skein.ErrNotFound.
func (s *Service) Keys(ctx context.Context, app string) (skein.App, map[string]skein.Millis, error) {
	a, err := s.App(ctx, app)
	if err != nil {
		return a, nil, err
	}
	uses, err := s.opts.Store.KeyUses(ctx, app)
	return a, uses, err
}

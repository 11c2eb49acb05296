package api

import (
	"cmp"
	"context"

	"golang.org/x/sync/errgroup"
)

// Each runs do for all, as many at once as there may be requests. It ends at the first error.
func Each[T any](ctx context.Context, all []T, do func(context.Context, T) error) error {
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(MaxAtOnce)
	for _, one := range all {
		if inner.Err() != nil {
			break
		}
		g.Go(func() error { return do(inner, one) })
	}
	return cmp.Or(g.Wait(), ctx.Err())
}

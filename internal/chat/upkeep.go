package chat

import (
	"context"
	"log/slog"
	"time"
)

// upkeepEvery is how often the store is asked for something to tidy up.
const upkeepEvery = 5 * time.Second

// Upkeep purges and erases what is due, in small steps, until ctx ends.
func (s *Service) Upkeep(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(upkeepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.tidy(ctx, log)
		}
	}
}

func (s *Service) tidy(ctx context.Context, log *slog.Logger) {
	purging, erasing := true, true
	for (purging || erasing) && ctx.Err() == nil {
		var err, eraseErr error
		if purging {
			purging, err = s.store.Purge(ctx, s.now())
		}
		if erasing {
			erasing, eraseErr = s.store.EraseMessages(ctx, s.now())
		}
		if err != nil || eraseErr != nil {
			if ctx.Err() == nil {
				log.Warn("upkeep of the store failed; it is tried again", slog.Any("purge", err), slog.Any("erase", eraseErr))
			}
			return
		}
	}
}

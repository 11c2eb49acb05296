package chat

import (
	"context"
	"log/slog"
	"time"
)

// upkeepEvery is how often the store is asked for something to tidy up.
const upkeepEvery = 5 * time.Second

// Upkeep purges, erases and removes what is due, in small steps, until ctx ends.
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

// tidy takes turns, so that much of one kind does not keep the others waiting.
func (s *Service) tidy(ctx context.Context, log *slog.Logger) {
	chores := []chore{
		{"purge", func() (bool, error) { return s.store.Purge(ctx, s.now()) }},
		{"erase", func() (bool, error) { return s.store.EraseMessages(ctx, s.now()) }},
		{"look for names of files", func() (bool, error) { return s.store.FillUploads(ctx) }},
		{"release files", func() (bool, error) { return s.releaseFiles(ctx) }},
		{"remove files", func() (bool, error) { return s.removeFiles(ctx, log) }},
		{"check files", func() (bool, error) { return false, s.checkFiles(ctx, log) }},
	}
	for len(chores) > 0 && ctx.Err() == nil {
		due := chores[:0]
		for _, c := range chores {
			more, err := c.step()
			if err != nil && ctx.Err() == nil {
				log.Warn("upkeep failed; it is tried again", slog.String("chore", c.name), slog.Any("error", err))
			}
			if more && err == nil {
				due = append(due, c)
			}
		}
		chores = due
	}
}

// chore is one kind of upkeep, done a step at a time.
type chore struct {
	name string
	step func() (more bool, err error)
}

// Package upkeep does the server's chores on the store and on the files: it purges what was deleted,
// erases messages, and removes files that nothing refers to. It knows no caller and no call.
package upkeep

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Files is the storage of uploads.
type Files interface {
	// Remove removes a file for good and returns its size in bytes. A file that does not exist is
	// no error.
	Remove(ctx context.Context, name string) (size int64, err error)
	// Walk calls look with all files, some at a time, except those that are still being written. It
	// ends with ctx or with the first error.
	Walk(ctx context.Context, look func([]skein.StoredFile) error) error
}

// Options are the options of the upkeep.
type Options struct {
	Store store.Store
	Files Files            // nil: files are never removed
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger

	UnnamedFor time.Duration // how long a file is kept that nothing refers to; zero: skein.UnnamedFor
}

// Upkeep does the chores. Only one call of Run at a time.
type Upkeep struct {
	store      store.Store
	files      Files
	now        func() skein.Millis
	log        *slog.Logger
	unnamedFor time.Duration

	removedTo string       // the released file that was removed last; empty: begin with the first
	checked   skein.Millis // when the files were compared with the store
}

// New makes an Upkeep.
func New(o Options) *Upkeep {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Upkeep{
		store: o.Store, files: o.Files, log: o.Log, unnamedFor: cmp.Or(o.UnnamedFor, skein.UnnamedFor),
		now: func() skein.Millis { return skein.MillisOf(o.Now()) },
	}
}

// every is the time between two rounds.
const every = 5 * time.Second

// Run does what is due, in small steps, until ctx ends.
func (u *Upkeep) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			u.round(ctx)
		}
	}
}

// round does what is due. The chores take turns, so that much of one kind does not delay the others.
func (u *Upkeep) round(ctx context.Context) {
	chores := []chore{
		{"purge", func() (bool, error) { return u.store.Purge(ctx, u.now()) }},
		{"erase", func() (more bool, err error) {
			_, more, err = u.store.EraseMessages(ctx, u.now())
			return more, err
		}},
		{"look for names of files", func() (bool, error) { return u.store.FillUploads(ctx) }},
	}
	if u.files != nil {
		chores = append(chores,
			chore{"release files", func() (bool, error) { return u.store.ReleaseUploads(ctx, u.now()) }},
			chore{"remove files", func() (bool, error) { return u.removeFiles(ctx) }},
			chore{"check files", func() (bool, error) { return false, u.checkFiles(ctx) }})
	}
	for len(chores) > 0 && ctx.Err() == nil {
		due := chores[:0]
		for _, c := range chores {
			more, err := c.step()
			if err != nil && ctx.Err() == nil {
				u.log.Warn("upkeep failed; it is tried again", slog.String("chore", c.name), slog.Any("error", err))
			}
			if more && err == nil {
				due = append(due, c)
			}
		}
		chores = due
	}
}

// chore is one kind of work. step does a part of it.
type chore struct {
	name string
	step func() (more bool, err error)
}

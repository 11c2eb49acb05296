package upkeep

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/skein-im/skein"
)

// removedAtOnce is how many files are removed in one step.
const removedAtOnce = 100

// removeFiles removes some of the released files; more: there may be others. A file that cannot
// be removed does not stop the others and is tried again in the next round. After a crash before
// the store forgets the files they are removed again, which does no harm.
func (u *Upkeep) removeFiles(ctx context.Context) (more bool, err error) {
	names, err := u.store.ReleasedUploads(ctx, u.removedTo, removedAtOnce)
	if err != nil {
		return false, err
	}
	more, u.removedTo = len(names) == removedAtOnce, ""
	if more {
		u.removedTo = names[removedAtOnce-1]
	}
	gone, bytes, err := u.remove(ctx, names)
	if len(gone) > 0 {
		u.log.Info("removed files that nothing names", slog.Int("files", len(gone)), slog.Int64("bytes", bytes))
		err = errors.Join(err, u.store.ForgetUploads(ctx, gone))
	}
	return more, err
}

// remove removes files. It returns which are gone, and how many bytes they had.
func (u *Upkeep) remove(ctx context.Context, names []string) (gone []string, bytes int64, err error) {
	for _, name := range names {
		size, failed := u.files.Remove(ctx, name)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		gone, bytes = append(gone, name), bytes+size
	}
	return gone, bytes, err
}

// checkEvery is how often the files are compared with the store. The first time is in the first
// round.
const checkEvery = 24 * time.Hour

// checkFiles removes files that the store does not know: those of an upload that a crash
// interrupted before its row was written, and those of an older copy of the store. They are kept
// as long as a file that nothing refers to.
func (u *Upkeep) checkFiles(ctx context.Context) error {
	now := u.now()
	if u.checked > 0 && now < u.checked.Add(checkEvery) {
		return nil
	}
	err := u.files.Walk(ctx, func(stored []skein.StoredFile) error {
		unknown, err := u.store.CheckUploads(ctx, stored)
		if err != nil {
			return err
		}
		young := func(name string) bool {
			return slices.ContainsFunc(stored, func(f skein.StoredFile) bool { return f.Name == name && now < f.At.Add(u.unnamedFor) })
		}
		gone, bytes, err := u.remove(ctx, slices.DeleteFunc(unknown, young))
		if len(gone) > 0 {
			u.log.Warn("removed files that the store does not know", slog.Int("files", len(gone)), slog.Int64("bytes", bytes))
		}
		return err
	})
	if err == nil {
		u.checked = now
	}
	return err
}

package chat

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/skein-im/skein"
)

// Files is the storage as the use cases need it.
type Files interface {
	// Remove removes a file for good and tells its size in bytes; one that is not
	// there is no error.
	Remove(name string) (size int64, err error)
	// Walk shows all files, some at a time, but those that are still being written. It
	// ends with ctx or with the first error.
	Walk(ctx context.Context, look func([]skein.StoredFile) error) error
}

// Uploaded keeps whose a file is, its size in bytes and what its uploader calls it.
func (s *Service) Uploaded(ctx context.Context, by skein.Actor, name, title string, size int64) error {
	now := s.now()
	return s.store.AddUpload(ctx, skein.Upload{
		App: by.App.ID, Name: name, Client: by.Client, At: now, Until: now.Add(s.unnamedFor), Size: size,
		Title: skein.FileTitle(title), Quota: by.App.Settings.MaxStorageBytes,
	})
}

// StorageLeft is how much the caller's app may still upload, in bytes. It is only
// good for refusing early: Uploaded decides. Errors: skein.ErrTooLarge.
func (s *Service) StorageLeft(ctx context.Context, by skein.Actor) (int64, error) {
	quota := by.App.Settings.MaxStorageBytes
	if quota <= 0 {
		return math.MaxInt64, nil
	}
	stored, err := s.store.StoredBytes(ctx, by.App.ID)
	if err == nil && stored >= quota {
		err = skein.OverQuota(quota)
	}
	return quota - stored, err
}

// removedAtOnce is how many files are removed in one step.
const removedAtOnce = 100

// releaseFiles lets go of some of the files that nothing names.
func (s *Service) releaseFiles(ctx context.Context) (more bool, err error) {
	if s.files == nil {
		return false, nil
	}
	return s.store.ReleaseUploads(ctx, s.now())
}

// removeFiles removes some of the files that are released, and tells whether there
// may be more. What cannot be removed stays for the next round and stops none of the
// others. A crash before the store forgets them only makes it try again.
func (s *Service) removeFiles(ctx context.Context, log *slog.Logger) (more bool, err error) {
	if s.files == nil {
		return false, nil
	}
	names, err := s.store.ReleasedUploads(ctx, s.removedTo, removedAtOnce)
	if err != nil {
		return false, err
	}
	more, s.removedTo = len(names) == removedAtOnce, ""
	if more {
		s.removedTo = names[removedAtOnce-1]
	}
	gone, bytes, err := s.remove(names)
	if len(gone) > 0 {
		log.Info("removed files that nothing names", slog.Int("files", len(gone)), slog.Int64("bytes", bytes))
		err = errors.Join(err, s.store.ForgetUploads(ctx, gone))
	}
	return more, err
}

// remove answers which of the files are gone, and how many bytes they had.
func (s *Service) remove(names []string) (gone []string, bytes int64, err error) {
	for _, name := range names {
		size, failed := s.files.Remove(name)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		gone, bytes = append(gone, name), bytes+size
	}
	return gone, bytes, err
}

// checkEvery is how often the storage is compared with the store. The first time is
// when upkeep begins.
const checkEvery = 24 * time.Hour

// checkFiles removes files that the store does not know: of an upload that a crash
// cut off between the file and its row, of an older copy of the store. They are left
// alone for as long as a file that nothing names.
func (s *Service) checkFiles(ctx context.Context, log *slog.Logger) error {
	now := s.now()
	if s.files == nil || s.checked > 0 && now < s.checked.Add(checkEvery) {
		return nil
	}
	err := s.files.Walk(ctx, func(stored []skein.StoredFile) error {
		unknown, err := s.store.CheckUploads(ctx, stored)
		if err != nil {
			return err
		}
		young := func(name string) bool {
			return slices.ContainsFunc(stored, func(f skein.StoredFile) bool { return f.Name == name && now < f.At.Add(s.unnamedFor) })
		}
		gone, bytes, err := s.remove(slices.DeleteFunc(unknown, young))
		if len(gone) > 0 {
			log.Warn("removed files that the store does not know", slog.Int("files", len(gone)), slog.Int64("bytes", bytes))
		}
		return err
	})
	if err == nil {
		s.checked = now
	}
	return err
}

package chat

import (
	"context"
	"errors"
	"time"

	"github.com/skein-im/skein"
)

// Files is the storage as the use cases need it.
type Files interface {
	// Remove removes a file for good; one that is not there is no error.
	Remove(name string) error
}

// Uploaded keeps whose a file is and its size in bytes.
func (s *Service) Uploaded(ctx context.Context, by skein.Actor, name string, size int64) error {
	return s.store.AddUpload(ctx, skein.Upload{App: by.App.ID, Name: name, Client: by.Client, At: s.now(), Size: size})
}

// releasedAtOnce is how many released files are looked up in one step.
const releasedAtOnce = 100

// removeReleased removes some of the files that may go, and tells whether there may
// be more. What cannot be removed stays for the next time and stops none of the
// others.
func (s *Service) removeReleased(ctx context.Context) (more bool, err error) {
	if s.files == nil {
		return false, nil
	}
	names, err := s.store.ReleasedUploads(ctx, releasedAtOnce)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		if failed := s.files.Remove(name); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		err = errors.Join(err, s.store.ForgetUpload(ctx, name))
	}
	return err == nil && len(names) == releasedAtOnce, err
}

// removeSome removes files for a short while in the caller's time, so that those of
// a recalled message are gone when the answer comes. Upkeep does the rest.
func (s *Service) removeSome(ctx context.Context) {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = s.removeReleased(ctx); err != nil {
			return // Upkeep tries again, and says so
		}
	}
}

package files

import (
	"context"

	"github.com/skein-im/skein"
)

// Remove deletes a file and returns its size in bytes. It is no error if the file does not
// exist. Errors: skein.ErrMalformed if Save makes no such names, skein.ErrUnavailable if the
// storage fails.
func (s *Store) Remove(ctx context.Context, name string) (size int64, err error) {
	if !ValidName(name) {
		return 0, skein.Malformed("name", "not the name of an upload")
	}
	if err := s.Check(ctx); err != nil { // a chore with many files must not wait for each
		return 0, err
	}
	if small := thumbnailNames(name); small != nil {
		if err := s.storage.Discard(ctx, small); err != nil {
			return 0, err
		}
	}
	size, err = s.storage.Remove(ctx, name)
	if err != nil || size == 0 {
		return 0, err
	}
	s.removed.Inc()
	s.removedBytes.Add(float64(size))
	return size, nil
}

// Walk passes all finished files to look, some at a time. It ends with ctx or with the
// first error of look. Errors: skein.ErrUnavailable if the storage fails.
func (s *Store) Walk(ctx context.Context, look func([]skein.StoredFile) error) error {
	if err := s.Check(ctx); err != nil {
		return err
	}
	return s.storage.Walk(ctx, look)
}

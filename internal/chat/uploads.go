package chat

import (
	"context"
	"math"

	"github.com/skein-im/skein"
)

// Uploaded stores whose a file is, its size in bytes and the name that its uploader gave it.
func (s *Service) Uploaded(ctx context.Context, by skein.Actor, name, title string, size int64) error {
	now := s.now()
	return s.store.AddUpload(ctx, skein.Upload{
		App: by.App.ID, Name: name, Client: by.Client, At: now, Until: now.Add(s.unnamedFor), Size: size,
		Title: skein.FileTitle(title), Quota: by.App.Settings.MaxStorageBytes,
	})
}

// StorageLeft is how much the caller's app may still upload, in bytes. It serves to refuse an upload
// early; Uploaded decides. Errors: skein.ErrTooLarge.
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

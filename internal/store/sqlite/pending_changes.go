package sqlite

import (
	"context"

	"github.com/skein-im/skein"
)

func (s *Store) MarkSeen(context.Context, []skein.Sighting) error { return errPending }

func (s *Store) ChangeMessage(context.Context, string, skein.ID, skein.ID, string, string, func(skein.Scene) (skein.Change, error)) (skein.Change, error) {
	return skein.Change{}, errPending
}

func (s *Store) Changes(context.Context, string, skein.ID, skein.ChangeRange) ([]skein.Change, error) {
	return nil, errPending
}

func (s *Store) Pins(context.Context, string, skein.ID, string) ([]skein.Message, error) {
	return nil, errPending
}

func (s *Store) AddUpload(context.Context, skein.Upload) error { return errPending }

func (s *Store) ReleasedUploads(context.Context, int) ([]string, error) { return nil, errPending }

func (s *Store) ForgetUpload(context.Context, string) error { return errPending }

package sqlite

import (
	"context"
	"errors"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// What is not written yet.
var errPending = errors.New("not written yet")

func (s *Store) UpdateConversation(context.Context, string, skein.ID, func(*skein.Conversation) error) (skein.Conversation, error) {
	return skein.Conversation{}, errPending
}

func (s *Store) UpdateMember(context.Context, string, skein.ID, string, skein.Millis, func(skein.Conversation, *skein.Member) error) (skein.Conversation, skein.Member, error) {
	return skein.Conversation{}, skein.Member{}, errPending
}

func (s *Store) CountReaders(context.Context, string, skein.ID, int64) (store.Readers, error) {
	return store.Readers{}, errPending
}

func (s *Store) View(context.Context, string, skein.ID, string) (skein.View, error) {
	return skein.View{}, errPending
}

func (s *Store) Views(context.Context, string, string, skein.ViewQuery) (skein.ViewPage, error) {
	return skein.ViewPage{}, errPending
}

func (s *Store) Sync(context.Context, string, string, skein.SyncCursor, int) (skein.SyncPage, error) {
	return skein.SyncPage{}, errPending
}

func (s *Store) NewEpoch(context.Context) error { return errPending }

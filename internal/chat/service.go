// Package chat holds the use cases: what a caller can do, one file a noun. It knows neither
// transport nor engine. The op table says in the Actor's Need which role a call requires; this
// package checks it in the conversation.
package chat

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Events takes what a use case has changed. Its methods do not wait. It does not get stored messages:
// the store's commit hook announces these, in the order of their seq.
type Events interface {
	Say(skein.Committed) // a transient message
	Tell(skein.Notice)   // something about a conversation
	Cut(skein.Cut)       // sessions that must end
	// RingAll says that a conversation holds messages up to lastSeq and changes up to lastChange
	// (zero: unknown), which may never have been announced.
	RingAll(app string, conv skein.ID, lastSeq, lastChange int64)
}

// Options are what the use cases work with.
type Options struct {
	Store  store.Store
	Events Events
	Words  Words            // nil: no app has a word list
	Hooks  Hooks            // nil: no app has before-hooks
	Now    func() time.Time // nil: time.Now
	NewID  func() skein.ID  // nil: UUIDv7

	UnnamedFor time.Duration // how long a file is kept that nothing refers to; zero: skein.UnnamedFor
	EraseFor   time.Duration // how long DeleteUser erases before it leaves the rest to package upkeep; zero: 2 s
}

// Service has the use cases as methods. Safe for concurrent use.
type Service struct {
	store  store.Store
	events Events
	words  Words
	hooks  Hooks
	now    func() skein.Millis
	newID  func() skein.ID

	unnamedFor time.Duration
	eraseFor   time.Duration
}

// New makes the use cases over a store.
func New(opts Options) *Service {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.NewID == nil {
		opts.NewID = func() skein.ID { return skein.ID(uuid.Must(uuid.NewV7())) }
	}
	return &Service{
		store:  opts.Store,
		events: opts.Events,
		words:  opts.Words,
		hooks:  opts.Hooks,
		now:    func() skein.Millis { return skein.MillisOf(opts.Now()) },
		newID:  opts.NewID,

		unnamedFor: cmp.Or(opts.UnnamedFor, skein.UnnamedFor),
		eraseFor:   cmp.Or(opts.EraseFor, 2*time.Second),
	}
}

// Now is the time as the use cases see it.
func (s *Service) Now() skein.Millis { return s.now() }

// admit returns the conversation and, for a client, its membership, if the caller may read there.
// For a write the store checks the rule in its transaction. Errors: skein.ErrUnknownConversation,
// skein.ErrForbidden.
func (s *Service) admit(ctx context.Context, by skein.Actor, id skein.ID) (skein.Conversation, *skein.Member, error) {
	conv, me, err := s.store.Conversation(ctx, by.App.ID, id, by.Client)
	if err != nil {
		return conv, nil, err
	}
	return conv, me, toDo(s.asks(by, conv, me))
}

// standing refuses a client that is unknown or banned.
func (s *Service) standing(ctx context.Context, app, client string) error {
	c, err := s.client(ctx, app, client)
	if err != nil {
		return err
	}
	if c.Banned(s.now()) {
		return skein.About(skein.ErrBanned, client)
	}
	return nil
}

// client returns a client that exists.
func (s *Service) client(ctx context.Context, app, id string) (skein.Client, error) {
	c, err := s.store.Client(ctx, app, id)
	if err == nil && c.Deleted {
		err = skein.ErrUnknownClient
	}
	if err != nil {
		return c, named(err, id)
	}
	return c, nil
}

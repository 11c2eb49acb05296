package store

import (
	"context"
	"errors"
	"time"

	"github.com/skein-im/skein"
)

// Feed is the one durable log of everything that was committed. Webhooks, push, search
// and the repair of lost announcements read it.
//
// Order: inside a conversation messages come in seq order and changes in change_seq
// order; a change comes after the message it is about; what happened to the members or
// to the conversation comes between the messages where it was committed.
//
// The feed leaves out imported messages, changes and members. It may leave out what
// belongs to a deleted conversation or app; it tells the deletion. Everything but messages
// is kept for EventDays.
type Feed interface {
	// Feed reads at most limit entries behind a cursor, oldest first, and fewer where
	// they are large. Nothing is skipped, whatever commits meanwhile; what lies behind a
	// cursor may be told again. A page may be empty although more follows: the end is
	// reached when next equals after. Errors: ErrFeedCursor.
	Feed(ctx context.Context, after FeedCursor, limit int) (entries []Entry, next FeedCursor, err error)
	// FeedEnd is the cursor behind everything that was committed before the call.
	FeedEnd(ctx context.Context) (FeedCursor, error)
	// Moved sums up some of the feed behind a cursor: the conversations in which messages
	// were stored or changed, or that were created, updated or deleted, or whose members
	// changed. They come in no order, each once, with the newest numbers of the logs that
	// moved. It reads no bodies. The end is reached when next equals after. Errors: ErrFeedCursor.
	Moved(ctx context.Context, after FeedCursor) (moved []Moved, next FeedCursor, err error)
}

// FeedCursor is a place in the feed. An engine makes and reads it; two are compared for
// equality alone.
type FeedCursor string

// FeedStart is the cursor before everything that is kept.
const FeedStart FeedCursor = ""

// EventDays is how long the feed keeps what is not a message.
const EventDays = 7

// ErrFeedCursor is about a cursor of another history, such as that before a backup was
// restored, or one whose next entries are no longer kept. The reader goes on from
// FeedEnd or FeedStart, as suits it.
var ErrFeedCursor = errors.New("feed cursor: of another history, or too old")

// Entry is one thing that was committed. A reader that needs a body asks Messages or
// Changes for it.
type Entry struct {
	Kind    EntryKind
	App     string
	At      skein.Millis        // by the store's clock; of a message, its Created
	Conv    skein.ID            // zero: not about a conversation
	Seq     int64               // of a message
	Change  int64               // change_seq of a change
	Message skein.ID            // of a message
	Client  string              // a message's sender, or the client or member it is about
	Event   int64               // number of what is neither a message nor a change: tells it from others
	Warning *skein.QuotaWarning // of an app
	Places  []skein.Position    // of EntryReceipts; at most MaxEntryClients
	Clients []string            // who was added, removed, or member from the start or at the end, or who came online or went offline; at most MaxEntryClients
}

// MaxEntryClients is how many clients one entry names; more take several entries.
const MaxEntryClients = 500

// EntryKind is what happened. Engines store the numbers.
type EntryKind int8

// The kinds of entries.
const (
	EntryMessage             EntryKind = 1
	EntryChange              EntryKind = 2
	EntryConversationCreated EntryKind = 3 // with the first of its members; MembersAdded tells the others
	EntryConversationUpdated EntryKind = 4
	EntryConversationDeleted EntryKind = 5 // with the first of its members; MembersRemoved tells the others. If its end had come: without
	EntryMembersAdded        EntryKind = 6
	EntryMembersRemoved      EntryKind = 7
	EntryMemberUpdated       EntryKind = 8 // role, nickname or mute
	EntryClientCreated       EntryKind = 9
	EntryClientUpdated       EntryKind = 10
	EntryClientBanned        EntryKind = 11
	EntryClientUnbanned      EntryKind = 12
	EntryClientLoggedOut     EntryKind = 13 // from all devices or from some
	EntryClientDeleted       EntryKind = 14
	EntryClientErased        EntryKind = 15 // the last message of a client deleted with erase is empty
	EntryAppDeleted          EntryKind = 16
	EntryQuotaWarning        EntryKind = 17
	EntryReceipts            EntryKind = 18 // how far members of a conversation have read and received; only of apps that ask for it, as the next two
	EntryOnline              EntryKind = 19
	EntryOffline             EntryKind = 20
)

// Moved is what was committed in one conversation.
type Moved struct {
	App     string
	Conv    skein.ID
	LastSeq int64   // zero: no message was stored, or the conversation is deleted
	Changes int64   // newest change_seq; zero: no message was changed, or the conversation is deleted
	Edits   []Entry // all entries of the conversation beside those of messages and changes, in order
}

// Leases say which node does a piece of work, such as reading the feed for the webhooks,
// and how far it has come. At most one node has a lease, by the store's clock. A node
// that lost its lease without noticing writes nothing under it: every claim has a
// greater fence than the one before, and a write with an older one is refused.
type Leases interface {
	// ClaimLease gives node the lease of that name for ttl, unless another node has it.
	// A node that claims what it has gets a new fence.
	ClaimLease(ctx context.Context, name, node string, ttl time.Duration) (l Lease, ok bool, err error)
	// RenewLease makes the lease last for ttl from now. Errors: ErrLeaseLost.
	RenewLease(ctx context.Context, l Lease, ttl time.Duration) error
	// ReleaseLease ends the lease, so that another node need not wait for its end. One
	// that is lost already is left alone.
	ReleaseLease(ctx context.Context, l Lease) error
	// KeepCursor writes down how far the work has come: the next claim answers it, also
	// after a restart or a restored backup. Errors: ErrLeaseLost; ErrFeedCursor.
	KeepCursor(ctx context.Context, l Lease, c FeedCursor) error
}

// Lease is a claim that was granted.
type Lease struct {
	Name   string
	Fence  int64
	Cursor FeedCursor // kept last under this name
	Kept   bool       // a cursor was kept before; otherwise Cursor is FeedStart
}

// ErrLeaseLost is about a lease that another claim has taken over or that was released.
var ErrLeaseLost = errors.New("lease: lost")

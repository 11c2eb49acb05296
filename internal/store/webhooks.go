package store

import (
	"context"

	"github.com/skein-im/skein"
)

// Webhooks keeps the endpoints of apps, how far each of them is in the feed, what could not be
// delivered, and a log of the attempts. AdminTx changes endpoints; one node at a time delivers, under a lease.
type Webhooks interface {
	// Webhooks lists the endpoints of an app, or of all apps if app is empty, by age. Deleted apps
	// have none.
	Webhooks(ctx context.Context, app string) ([]Endpoint, error)
	// KeepWebhooks stores what the holder of a lease did, in one transaction. Endpoints that
	// are gone are passed over. Errors: ErrLeaseLost.
	KeepWebhooks(ctx context.Context, l Lease, done []WebhookWork) error
	// FailedDeliveries lists failed deliveries of an endpoint, by Seq.
	FailedDeliveries(ctx context.Context, webhook string, q FailedQuery) ([]FailedDelivery, error)
	// WebhookAttempts returns the log of an endpoint, newest first, from before a Seq; zero: all.
	WebhookAttempts(ctx context.Context, webhook string, before int64, limit int) ([]WebhookAttempt, error)
	// CommitEvents commits entries of the app to the feed that nothing else commits: EntryReceipts,
	// EntryOnline and EntryOffline. Errors: ErrUnknownApp.
	CommitEvents(ctx context.Context, app string, entries []Entry) error
}

// Endpoint is a webhook and how far it is.
type Endpoint struct {
	skein.Webhook

	Cursor  FeedCursor   // everything before it was delivered or is a FailedDelivery
	Failing skein.Millis // since when every call failed; zero: the last one did not
	Replays int64        // grows when dead letters are replayed
	Dead    int          // dead letters
	Failed  int64        // the greatest Seq of its failed deliveries
}

// WebhookWork is what was done for an endpoint.
type WebhookWork struct {
	ID      string
	Cursor  FeedCursor
	Failing skein.Millis
	Disable string // reason; the endpoint is disabled, unless its Rev is another by now; empty: it is not
	Rev     int64

	Put      []FailedDelivery // replaced by Seq
	Remove   []int64          // by Seq
	Attempts []WebhookAttempt
}

// FailedDelivery is a call that failed, or that waits behind one that did. It names the
// entries of the feed; what it delivers is read again for each attempt.
type FailedDelivery struct {
	Seq      int64  // of the endpoint, in the order in which they failed
	ID       string // webhook-id
	Entries  []Entry
	Attempts int
	First    skein.Millis // of the first attempt
	Due      skein.Millis // of the next one
	Dead     skein.Millis // when it was given up; zero: it was not
	Status   int          // of the last answer; zero: none
	Error    string       // of the last attempt
}

// FailedQuery asks for failed deliveries.
type FailedQuery struct {
	Dead  bool  // those given up; else those that wait
	After int64 // with a greater Seq
	Limit int
}

// WebhookAttempt is one line of the log of deliveries.
type WebhookAttempt struct {
	Seq     int64 // of the endpoint
	At      skein.Millis
	ID      string // webhook-id
	Attempt int    // 1: the first
	URL     string
	Events  []HookEvent
	Bytes   int    // of the request's body
	Status  int    // zero: no answer
	Millis  int64  // that it took
	Answer  []byte // the first AttemptAnswer bytes
	Error   string // why it failed; empty: it did not
}

// HookEvent is an event that was delivered: its id and its type.
type HookEvent struct{ ID, Type string }

// AttemptAnswer is how many bytes of an answer the log keeps.
const AttemptAnswer = 4 << 10

// Replay asks for dead letters to be delivered anew.
type Replay struct {
	From, Until int64        // Seq of the first and the last; zero: of all
	Since       skein.Millis // given up since then; zero: whenever
	Limit       int
}

// WebhookTx is what a deed may do with webhooks.
type WebhookTx interface {
	// Webhooks lists the endpoints of an app by age. Nobody else adds one meanwhile. Errors: ErrUnknownApp.
	Webhooks(ctx context.Context, app string) ([]Endpoint, error)
	// PutWebhook stores an endpoint in place of the one of its ID. at is where a new one begins;
	// the place of one that exists changes only with move.
	PutWebhook(ctx context.Context, w skein.Webhook, at FeedCursor, move bool) error
	// RemoveWebhook removes an endpoint.
	RemoveWebhook(ctx context.Context, id string) error
	// ReplayFailed makes dead letters due at once, the oldest first. It returns how many.
	ReplayFailed(ctx context.Context, webhook string, r Replay) (n int, err error)
}

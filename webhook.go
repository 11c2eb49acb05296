package skein

import "time"

// Webhook is an endpoint of an app: an address to which the server posts what happened.
type Webhook struct {
	ID       string // random, never given twice
	App      string
	Settings WebhookSettings
	Secrets  []WebhookSecret // the newest first; at most MaxWebhookSecrets
	Enabled  bool
	Reason   string // why the server disabled it: DisabledGone, DisabledFailing, DisabledDeadLetters; empty: it did not
	Created  Millis
	Rev      int64 // grows with every change of the fields above
}

// WebhookSettings are what an operator sets.
type WebhookSettings struct {
	URL       string
	Name      string     // free text
	Events    []string   // of WebhookEvents; nil: DefaultWebhookEvents
	ConvTypes []ConvType // events about other conversations are left out; nil: of all
	Rate      int        // calls a second; 0: DefaultWebhookRate
	Batch     int        // most events in one call; 0 and 1: one, in a form of its own
	Ordered   bool       // events of a conversation arrive in their order, also when calls fail
}

// WebhookSecret signs calls.
type WebhookSecret struct {
	Key     []byte // nil: the server cannot open it
	Expires Millis // Forever: does not
}

// Why the server disabled an endpoint.
const (
	DisabledGone        = "gone"         // it answered 410
	DisabledFailing     = "failing"      // every call failed for as long as calls are retried
	DisabledDeadLetters = "dead_letters" // it has MaxDeadLetters
)

// Bounds of webhooks.
const (
	MaxWebhooks        = 20  // of an app
	MaxWebhookBatch    = 100 // events in a call
	MaxWebhookRate     = 10_000
	DefaultWebhookRate = 100
	MaxWebhookSecrets  = 2
	MaxWebhookName     = 100 // bytes

	MaxFailedDeliveries = 1000   // of an endpoint that wait for their next attempt; then it waits itself
	MaxDeadLetters      = 10_000 // of an endpoint; then it is disabled

	DeadLettersKept = 30 * 24 * time.Hour
	AttemptsKept    = 7 * 24 * time.Hour
)

// The events of webhooks.
const (
	HookMessageSent         = "message.sent"
	HookMessageChanged      = "message.changed"
	HookMessageRecalled     = "message.recalled"
	HookRecipientsOffline   = "recipients.offline"
	HookConversationCreated = "conversation.created"
	HookConversationUpdated = "conversation.updated"
	HookConversationDeleted = "conversation.deleted"
	HookMembersAdded        = "members.added"
	HookMembersRemoved      = "members.removed"
	HookMemberUpdated       = "member.updated"
	HookUserCreated         = "user.created"
	HookUserUpdated         = "user.updated"
	HookUserBanned          = "user.banned"
	HookUserUnbanned        = "user.unbanned"
	HookUserLoggedOut       = "user.logged_out"
	HookUserDeleted         = "user.deleted"
	HookUserErased          = "user.erased"
	HookReceiptsUpdated     = "receipts.updated"
	HookUsersOnline         = "users.online"
	HookUsersOffline        = "users.offline"
	HookQuotaWarning        = "app.quota_warning"
	HookTest                = "webhook.test" // sent by a test alone; not of WebhookEvents
)

// WebhookEvents are the events that an endpoint may name.
var WebhookEvents = []string{
	HookMessageSent, HookMessageChanged, HookMessageRecalled, HookRecipientsOffline,
	HookConversationCreated, HookConversationUpdated, HookConversationDeleted,
	HookMembersAdded, HookMembersRemoved, HookMemberUpdated,
	HookUserCreated, HookUserUpdated, HookUserBanned, HookUserUnbanned, HookUserLoggedOut, HookUserDeleted, HookUserErased,
	HookReceiptsUpdated, HookUsersOnline, HookUsersOffline,
	HookQuotaWarning,
}

// OnlyNamed reports whether an endpoint gets these events only if it names them: they cost the server
// more than others.
func OnlyNamed(event string) bool {
	switch event {
	case HookRecipientsOffline, HookReceiptsUpdated, HookUsersOnline, HookUsersOffline:
		return true
	}
	return false
}

// QuotaWarning says that an app has used much of a quota. An endpoint gets it as HookQuotaWarning.
type QuotaWarning struct {
	Quota string // such as messages
	Used  int64
	Limit int64
	Day   string // 2026-11-30, UTC; empty: the quota is not one of a day
}

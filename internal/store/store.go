// Package store says what the server keeps and what each engine promises about
// it. It holds no engine: those are in store/sqlite and, later, store/postgres,
// and each passes store/storetest unchanged.
//
// One method is one transaction: it happens wholly or not at all, and once it has
// returned without an error it is on disk (fsync) or committed as durably as the
// engine knows. Methods are safe for concurrent use and see what was returned
// before they were called. app_id is part of every look-up: another app's
// anything is unknown.
//
// Errors, beside those each method names: ErrUnavailable when the engine cannot
// take or finish the work now (queue full, disk full, fsync failed, closing);
// nothing has changed then, and a later call may succeed. The context's error
// when it ends while the call waits; a write that was already taken may still
// happen.
package store

import (
	"context"
	"time"

	"github.com/skein-im/skein"
)

// Store is everything an engine offers. Use cases take the narrow interfaces.
type Store interface {
	Apps
	Clients
	Conversations
	Members
	Messages
	Changes
	Inbox
	Uploads
	Transfer
	Sessions
	Upkeep
	Feed
	Leases
}

// Apps keeps the tenants.
type Apps interface {
	// CreateApp adds an app. Errors: ErrConflict when the id is taken.
	CreateApp(ctx context.Context, app skein.App) error
	// App is one app. Errors: ErrUnknownApp.
	App(ctx context.Context, id string) (skein.App, error)
	// Apps lists all apps by id.
	Apps(ctx context.Context) ([]skein.App, error)
	// UpdateApp lets change alter the app (not its ID or Created) and keeps the
	// result; an error from change is returned and nothing kept. change may run
	// more than once and must not wait or call the store. Errors: ErrUnknownApp.
	UpdateApp(ctx context.Context, id string, change func(*skein.App) error) error
	// DeleteApp makes the app and all that is its own unknown at once; Purge
	// removes the rows. The id can be taken again only after that (ErrConflict
	// until then). Errors: ErrUnknownApp.
	DeleteApp(ctx context.Context, id string) error
}

// Clients keeps the end users.
type Clients interface {
	// CreateClient adds a client, or answers the one that is there, with created
	// false. A deleted client is created anew and keeps its Cut. Errors:
	// ErrUnknownApp.
	CreateClient(ctx context.Context, c skein.Client) (got skein.Client, created bool, err error)
	// CreateClients is CreateClient of each in this order, many in one transaction: after
	// an error some may have been created. Errors: ErrUnknownApp.
	CreateClients(ctx context.Context, app string, clients []skein.Client) ([]CreatedClient, error)
	// Client is one client; a deleted one is answered too, with Deleted set.
	// Errors: ErrUnknownClient.
	Client(ctx context.Context, app, id string) (skein.Client, error)
	// Clients is a page of the app's clients in order of creation, the deleted
	// left out.
	Clients(ctx context.Context, app string, q skein.ClientQuery) (skein.ClientPage, error)
	// UpdateClient lets change alter the client (not App, ID, Created or Deleted)
	// and answers the result, on the terms of UpdateApp. Errors: ErrUnknownClient,
	// also for a deleted one.
	UpdateClient(ctx context.Context, app, id string, change func(*skein.Client) error) (skein.Client, error)
	// DeleteClient leaves of the client its id and its cut (at), takes it out of
	// all its conversations, and frees its private pairs: the next conversation of
	// such a pair is a new one. erase marks its messages for EraseMessages. It
	// answers the conversations it was taken out of, and its Rev. One in many conversations leaves
	// them in many transactions, the last of which deletes it: after an error it may
	// have left some, and sync does not tell it so; a second call does the rest.
	// Errors: ErrUnknownClient.
	DeleteClient(ctx context.Context, app, id string, at skein.Millis, erase bool) (left []skein.ID, rev int64, err error)
	// CutsSince lists what ended logins behind a watermark, oldest first: bans, cuts and
	// deletions, each with the Rev that it gave the client. Nothing is skipped, whatever
	// commits meanwhile; what lies behind a watermark may be told twice. The zero
	// watermark asks for none, and where to begin. Cuts are kept for CutsKept.
	CutsSince(ctx context.Context, after Watermark, limit int) (cuts []skein.Cut, next Watermark, err error)
	// MarkSeen keeps when clients were last online; a moment before the one that is
	// kept changes nothing, nor does one of an unknown client.
	MarkSeen(ctx context.Context, seen []skein.Sighting) error
}

// Watermark is a place in what an engine has committed. Its meaning is the engine's;
// callers only carry it back. Zero: nothing is known yet.
type Watermark int64

// CutsKept is for how long CutsSince tells of a cut.
const CutsKept = 24 * time.Hour

// CreatedClient is what CreateClient answers.
type CreatedClient struct {
	Client  skein.Client
	Created bool
}

// Conversations keeps the places where messages are numbered. A deleted
// conversation, and a temporary one past its end (TTL after its last message, or
// its Active when created), is unknown to every method. Active never runs back: a
// moment before it leaves it as it is.
type Conversations interface {
	// CreateConversation adds c with its members, who all must exist and whose
	// JoinSeq becomes 1; one named twice counts once. c.Members, c.LastSeq and
	// limit.Members are ignored. A private pair is created once: whoever asks again, concurrently too,
	// is answered the first one, with created false. Errors: ErrUnknownClient as a
	// skein.Fault whose Field is the first missing id; ErrConflict when the id is
	// taken; ErrTooLarge and ErrForbidden as of AddMembers; ErrUnknownApp.
	CreateConversation(ctx context.Context, c skein.Conversation, members []skein.Member, limit MemberLimit) (got skein.Conversation, created bool, err error)
	// Conversation is one conversation and, where client is not empty, that client
	// as its member (nil: it is none). Errors: ErrUnknownConversation.
	Conversation(ctx context.Context, app string, id skein.ID, client string) (skein.Conversation, *skein.Member, error)
	// FindConversations is a page of those that meet the query, by Active, then
	// creation, newest first. Whoever follows the cursor to its end sees each that met
	// the query all the time, whatever moved meanwhile; what moved may come twice.
	FindConversations(ctx context.Context, app string, q skein.ConvQuery) (skein.ConvPage, error)
	// UpdateConversations replaces Extend, Updated and Active of all that meet
	// where, and answers their ids; one that comes to meet it during the call may be
	// left out. It is many transactions where it changes much: after an error some may
	// have been changed. Errors: ErrTooLarge when more than
	// skein.MaxUpdated match; ErrUnknownConversation when none does.
	UpdateConversations(ctx context.Context, app string, where []skein.Condition, extend []byte, at skein.Millis) ([]skein.ID, error)
	// UpdateConversation lets change alter Extend, MuteAll, Updated and Active of one
	// conversation and answers the result, on the terms of UpdateApp. Errors:
	// ErrUnknownConversation.
	UpdateConversation(ctx context.Context, app string, id skein.ID, change func(*skein.Conversation) error) (skein.Conversation, error)
	// DeleteConversation makes the conversation unknown at once and answers who
	// was a member; Purge removes the rows. Errors: ErrUnknownConversation.
	DeleteConversation(ctx context.Context, app string, id skein.ID) (members []string, err error)
}

// Members keeps who is in which conversation.
type Members interface {
	// AddMembers adds clients, all or none, with JoinSeq set to what comes next and
	// Joined and the conversation's Updated and Active to at; who is a member
	// already stays as it was. It answers who is new. Errors:
	// ErrUnknownConversation; ErrUnknownClient as a Fault naming the first;
	// ErrTooLarge when there would be more than limit.Members, or a Fault naming a
	// client who is in as many conversations as limit.PerClient lets the adder fill
	// (skein.Adder.Share), or whom the adder has added to skein.MostOfOneAdder already;
	// ErrForbidden as a Fault naming one who may not be added by the adder
	// (skein.AddBy) or may not join by itself.
	AddMembers(ctx context.Context, app string, id skein.ID, clients []string, at skein.Millis, limit MemberLimit) (added []string, err error)
	// RemoveMembers takes clients out and answers who was a member. Whoever is muted
	// then is still muted when it is a member again. Errors: ErrUnknownConversation.
	RemoveMembers(ctx context.Context, app string, id skein.ID, clients []string, at skein.Millis) (removed []string, err error)
	// Expel is RemoveMembers, and keeps those it names, members or not, from coming
	// back by themselves (MemberLimit.Itself) until ban.Until; a past moment lifts
	// that. Whom others add is banned no more.
	Expel(ctx context.Context, app string, id skein.ID, clients []string, at skein.Millis, ban Ban) (removed []string, err error)
	// Members is a page of the members in order of joining. Errors:
	// ErrUnknownConversation.
	Members(ctx context.Context, app string, id skein.ID, q skein.MemberQuery) (skein.MemberPage, error)
	// UpdateMember lets change alter a member (not Client, Joined, JoinSeq, SentSeq)
	// and answers the result, on the terms of UpdateApp; what change leaves as it was
	// is not written. Positions never run back and never pass LastSeq, whatever
	// change says. A new owner makes the one before it an admin. Where Role, Nickname
	// or MutedUntil differ the conversation's Updated becomes at. Errors:
	// ErrUnknownConversation; ErrUnknownClient about who is no member.
	UpdateMember(ctx context.Context, app string, id skein.ID, client string, at skein.Millis, change func(skein.Conversation, *skein.Member) error) (skein.Conversation, skein.Member, error)
	// UpdateMemberships is UpdateMember of one client in many conversations, in one
	// transaction: change is shown the conversation at each place of ids, and alters of
	// the member its positions and Marks alone. It answers for each id, in their order.
	UpdateMemberships(ctx context.Context, app, client string, ids []skein.ID, change func(i int, c skein.Conversation, m *skein.Member)) ([]Membership, error)
	// CountReaders counts the members who joined before or with a seq, and of these
	// those who have received and read up to it. Errors: ErrUnknownConversation.
	CountReaders(ctx context.Context, app string, id skein.ID, seq int64) (Readers, error)
	// Audience is the members in order of joining, as far as a delivery needs them, and
	// the RosterRev by which they are so, which is never below atLeast: a cache that
	// knows an older list reads anew; zero takes any. Who is to see a message live is
	// who had joined when it was stored. The list may be shared: never write to it. An
	// unknown conversation has none, and revision zero. It is the read behind every
	// delivery, so it is the one to be quick.
	Audience(ctx context.Context, app string, id skein.ID, atLeast int64) (all []skein.Listener, rev int64, err error)
}

// MemberLimit bounds AddMembers; zero fields do not.
type MemberLimit struct {
	Members   int         // of the conversation afterwards
	PerClient int         // conversations of each new member afterwards
	Itself    bool        // the clients join by themselves: ErrForbidden about one who is banned
	Adder     string      // the client who adds the others; empty: the backend does
	AddBy     skein.AddBy // of clients who chose nothing
}

// Ban is a ban of those whom Expel takes out.
type Ban struct {
	Until skein.Millis
	Spare string // this client is not banned: it takes itself out; empty: none
}

// Readers is how many of a message's members have come how far.
type Readers struct{ Members, Received, Read int }

// Membership is what came of one conversation in UpdateMemberships.
type Membership struct {
	Conversation  skein.Conversation
	Before, After skein.Member
	Err           error // ErrUnknownConversation; ErrUnknownClient about who is no member
}

// RetryTime is how long a retry is known by its ClientMsgID at least. Later it may be
// stored as a new message.
const RetryTime = 7 * 24 * time.Hour

// Messages keeps what was said.
type Messages interface {
	// Append stores a draft as the next message of its conversation: seq from 1,
	// dense. A draft whose (Sender, ClientMsgID) was stored there within RetryTime
	// answers the first message again, with again true, even if the sender was banned,
	// removed or deleted meanwhile, but not to a client created later with a deleted
	// one's id. With another body it is
	// ErrConflict; NoSync, which is about delivery, and a body that was erased are not
	// compared. Errors: ErrUnknownConversation; ErrUnknownClient and ErrBanned about
	// the sender; ErrForbidden when the sender does not meet draft.Need or may not
	// speak (skein.Silenced); with NeedServer it need not be a member and a mute does
	// not bind it; ErrUnknownMessage when ReplyTo is none of this conversation;
	// ErrConflict when the message id is taken. The commit hook has seen the message
	// before Append returns.
	Append(ctx context.Context, d skein.Draft) (m skein.Message, again bool, err error)
	// AppendAll is Append of each draft in this order, and returns when all are
	// answered; one that is refused keeps no other from being stored. With an error
	// nothing is known of any. The drafts must not be written to any more.
	AppendAll(ctx context.Context, drafts []skein.Draft) ([]Appended, error)
	// Admit makes the checks of Append for a transient message and stores nothing.
	Admit(ctx context.Context, d skein.Draft) (skein.Conversation, error)
	// Messages reads a range of seqs; a Limit of zero reads none. An unknown
	// conversation has none.
	Messages(ctx context.Context, app string, conv skein.ID, r skein.SeqRange) ([]skein.Message, error)
	// FindMessages looks for messages in a range of seqs, in its order and by its limit.
	// It looks at skein.MaxLooked messages at the most. A blank message is found by its
	// sender, type and time. An unknown conversation has none. Errors: ErrRateLimited
	// when it takes too long.
	FindMessages(ctx context.Context, app string, conv skein.ID, q skein.MessageQuery) (skein.FoundMessages, error)
	// Message is one message, blank where viewer (empty: nobody) deleted it for
	// itself. Errors: ErrUnknownMessage.
	Message(ctx context.Context, app string, conv, id skein.ID, viewer string) (skein.Message, error)
}

// Appended is what came of one draft of several: what Append answers.
type Appended struct {
	Message skein.Message
	Again   bool
	Passed  bool // the sender had not read all that was said before, and has now
	// RosterRev is the conversation's when the draft was taken; see skein.Conversation.
	RosterRev int64
	Err       error
}

// Changes keeps what became of messages. Each change has the next change_seq of
// its conversation: from 1, dense.
type Changes interface {
	// ChangeMessage lets decide look at a message as it is and say what becomes of it,
	// does that and answers it with its Seq, all in one transaction. by is the client
	// who asks (empty: the backend) and emoji the one Scene.Reacted is about. decide
	// may run more than once and must not wait or call the store. Of what it answers
	// Kind, At, On and, for an edit, Message.Text, Attr, MentionAll and Mentions are taken; a Kind
	// of ChangeNone changes nothing, and the answer shows the message as it is; so
	// does a change to what is so already. The answer shows the message as by sees it.
	// An edit adds one to Version. A recall blanks the message for good: body,
	// mentions, reactions, pin, what retries are compared with. The commit hook has
	// seen the change before this returns. Errors: those of decide;
	// ErrUnknownConversation, ErrUnknownMessage; ErrTooLarge past MaxReactions, about
	// the emoji; ErrConflict where a blank message is to be edited, reacted to or
	// pinned; ErrMissing where nobody reacts or hides.
	ChangeMessage(ctx context.Context, app string, conv, id skein.ID, by, emoji string, decide func(skein.Scene) (skein.Change, error)) (skein.Change, error)
	// Changes reads a range. An unknown conversation has none.
	Changes(ctx context.Context, app string, conv skein.ID, r skein.ChangeRange) ([]skein.Change, error)
	// Hidden lists who deleted which of the messages after a seq for itself, in no
	// order. An unknown conversation has none.
	Hidden(ctx context.Context, app string, conv skein.ID, after int64) ([]skein.Hiding, error)
	// Pins lists the pinned messages, the newest pin first, blank where viewer
	// deleted them for itself.
	Pins(ctx context.Context, app string, conv skein.ID, viewer string) ([]skein.Message, error)
}

// Inbox is the conversations of one client as that client sees them. A send writes
// nothing for the members: what is here is derived when it is asked for.
type Inbox interface {
	// View is one conversation. Errors: ErrUnknownConversation; ErrUnknownClient
	// about who is no member.
	View(ctx context.Context, app string, id skein.ID, client string) (skein.View, error)
	// Views is a page of them, on the terms of FindConversations. A client that is
	// unknown has none.
	Views(ctx context.Context, app, client string, q skein.ViewQuery) (skein.ViewPage, error)
	// Unread sums up what Views shows of a client's conversations, archived or not;
	// those that it muted count only if muted. Errors: ErrRateLimited where that is too
	// much work for one call, also of ToRead.
	Unread(ctx context.Context, app, client string, muted bool) (skein.UnreadTotal, error)
	// ToRead is the LastSeq of each of the client's conversations in which it has not
	// read all, or that it marked as unread.
	ToRead(ctx context.Context, app, client string) ([]skein.Receipt, error)
	// Sync is what has changed for the client since a cursor, at most limit
	// conversations, and fewer where people wrote much in them: a page holds about
	// 1 MiB. Whoever follows the cursor to its end, and again later, sees
	// every conversation that changed, whatever commits in between. It costs what
	// changed: a constant amount per conversation of the client at the most, and, of
	// what is remembered to have changed lately, no more than a constant amount per
	// conversation of the app.
	Sync(ctx context.Context, app, client string, after skein.SyncCursor, limit int) (skein.SyncPage, error)
}

// Uploads keeps which files are in the storage and what names them. A file lives
// while anything of its app names it: url, text or attr of a message, a
// conversation's Extend, a client's Ext or BanReason, a member's Draft or Nickname;
// skein.UploadsIn tells what they name. Otherwise it lives until its Until, which
// ends when anything but a member's texts names it: from then on it may go as soon as
// the last thing that names it changes, or is recalled, erased or deleted. A file goes
// with its app.
type Uploads interface {
	// AddUpload notes a file. Errors: ErrUnknownApp; ErrConflict when the name is
	// taken; ErrTooLarge when it is more than its Quota.
	AddUpload(ctx context.Context, u skein.Upload) error
	// StoredBytes is the sum of the sizes of the app's files, at the cost of one
	// look-up. An unknown app has none.
	StoredBytes(ctx context.Context, app string) (int64, error)
	// Upload is a file by its name, if it lives: what may go is not found any more,
	// even before it is released.
	Upload(ctx context.Context, name string) (u skein.Upload, found bool, err error)
	// ReleaseUploads releases some of the files of one app that may go at now, of
	// another app each time: nothing can name them any more. None is released before
	// FillUploads has come to its end. more tells whether to ask again.
	ReleaseUploads(ctx context.Context, now skein.Millis) (more bool, err error)
	// ReleasedUploads names files that are released and not forgotten, in the order of
	// their names, at most limit of those after one.
	ReleasedUploads(ctx context.Context, after string, limit int) ([]string, error)
	// ForgetUploads says that released files are gone.
	ForgetUploads(ctx context.Context, names []string) error
	// CheckUploads is told of files in the storage and answers those that are neither
	// known nor released. It keeps the sizes that were not known.
	CheckUploads(ctx context.Context, stored []skein.StoredFile) (unknown []string, err error)
}

// CommitHook is told, at least once, of every message that this node stored and of
// every change to one, in commit order, so in seq and change_seq order within a
// conversation, and never concurrently for one conversation. What other nodes store
// their hooks are told. It is called after the commit and before the calls that caused
// it return, and must not wait. The list is the store's again when
// it returns.
type CommitHook func([]skein.Sent)

// Upkeep is what the server does to its store beside serving.
type Upkeep interface {
	// Ping reports whether the store can answer now.
	Ping(ctx context.Context) error
	// Purge removes some of what is unknown already (deleted apps and conversations,
	// temporary ones past their end at now, retries past RetryTime); more tells
	// whether there is anything left. Each call is short.
	Purge(ctx context.Context, now skein.Millis) (more bool, err error)
	// EraseMessages takes text, attr, url and mentions out of some of the messages
	// of clients deleted with erase, and makes them StatusDeleted; each is a change
	// of its conversation, a recall by nobody. It takes back what they reacted with
	// under others' messages, each a change of kind ChangeReact by the client. Who is
	// created anew with such an id keeps what it says and reacts with from then on.
	// more as in Purge.
	EraseMessages(ctx context.Context, now skein.Millis) (more bool, err error)
	// FillUploads looks through some of what was stored by an earlier version, which
	// did not keep all that names a file. more as in Purge.
	FillUploads(ctx context.Context) (more bool, err error)
	// NewEpoch makes every sync cursor given out so far ask for a reset: what the
	// store holds is another history from now on, such as a restored backup.
	NewEpoch(ctx context.Context) error
	// Secret is 16 random bytes of the store's own, the same for as long as it lasts,
	// also in what is restored from its backup.
	Secret() []byte
	// Close waits for what was taken and lets go of the store.
	Close() error
}

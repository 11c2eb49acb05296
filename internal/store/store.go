// Package store defines what the server keeps and what every engine promises about
// it. It contains no engine: those are in store/sqlite and, later, store/postgres,
// and each passes the contract suite store/storetest unchanged.
//
// One method is one transaction: it happens wholly or not at all. A method that has
// returned without an error is durable: on disk (fsync), or committed as durably as the
// engine can. Methods are safe for concurrent use, and each sees every call that
// returned before it was made. Every look-up is bound to an app: whatever belongs to
// another app is unknown.
//
// Errors, beside those each method names: ErrUnavailable when the engine cannot
// take or finish the work now (queue full, disk full, fsync failed, closing);
// nothing has changed then, and a later call may succeed. The context's error
// when it ends while the call waits; a write that was already taken may still
// happen. Of methods that take an Authority also what its Check answers, and ErrBanned
// and ErrUnknownClient as a skein.Fault about a caller who is banned or not there.
package store

import (
	"context"
	"time"

	"github.com/skein-im/skein"
)

// Store is everything an engine offers. Use cases take the narrow interfaces.
type Store interface {
	Apps
	Admin
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
	Webhooks
	Usage
}

// Apps keeps the tenants.
type Apps interface {
	// CreateApp adds an app. Errors: ErrConflict when the id is taken.
	CreateApp(ctx context.Context, app skein.App) error
	// App returns one app. Errors: ErrUnknownApp.
	App(ctx context.Context, id string) (skein.App, error)
	// Apps lists all apps by id.
	Apps(ctx context.Context) ([]skein.App, error)
	// UpdateApp calls change to alter the app (not its ID or Created) and stores the
	// result. If change returns an error, UpdateApp returns it and stores nothing.
	// change may run more than once and must not wait or call the store. Errors:
	// ErrUnknownApp.
	UpdateApp(ctx context.Context, id string, change func(*skein.App) error) error
	// DeleteApp makes the app and everything in it unknown at once; Purge removes the
	// rows. Until they are removed the id cannot be taken again (ErrConflict). Errors:
	// ErrUnknownApp.
	DeleteApp(ctx context.Context, id string) error
	// WordList returns the words that an app does not allow; Revision zero: it has no list,
	// or is unknown.
	WordList(ctx context.Context, app string) (skein.WordList, error)
}

// Clients keeps the end users.
type Clients interface {
	// CreateClient adds a client. If the id exists already, it returns the client that
	// has it, with created false. A deleted client is created anew and keeps its Cut.
	// Errors: ErrUnknownApp.
	CreateClient(ctx context.Context, c skein.Client) (got skein.Client, created bool, err error)
	// CreateClients calls CreateClient for each client in this order, many in one
	// transaction. After an error some may have been created. Errors: ErrUnknownApp.
	CreateClients(ctx context.Context, app string, clients []skein.Client) ([]CreatedClient, error)
	// Client returns one client, also a deleted one (Deleted is set). Errors:
	// ErrUnknownClient.
	Client(ctx context.Context, app, id string) (skein.Client, error)
	// Clients returns a page of the app's clients in order of creation, without the
	// deleted ones.
	Clients(ctx context.Context, app string, q skein.ClientQuery) (skein.ClientPage, error)
	// UpdateClient calls change to alter the client (not App, ID, Created or Deleted)
	// and returns the result, under the rules of UpdateApp. Errors: ErrUnknownClient,
	// also about a deleted client.
	UpdateClient(ctx context.Context, app, id string, change func(*skein.Client) error) (skein.Client, error)
	// UpdateClientBy is UpdateClient by an operator: it adds the deed to the audit log in the
	// same transaction, even if nothing changes.
	UpdateClientBy(ctx context.Context, d skein.Deed, app, id string, change func(*skein.Client) error) (skein.Client, error)
	// DeleteClient removes everything of the client but its id and its Cut, which becomes
	// at. It removes the client from all its conversations and frees its private pairs:
	// the next conversation of such a pair is a new one. With erase, EraseMessages will
	// empty its messages. DeleteClient returns the conversations that the client left and
	// its Rev. A client with many conversations leaves them in many transactions, and the
	// last one deletes it. After an error it may have left some, which sync does not
	// report to it; a second call does the rest. Errors: ErrUnknownClient.
	DeleteClient(ctx context.Context, app, id string, at skein.Millis, erase bool) (left []skein.ID, rev int64, err error)
	// CutsSince lists what ended logins behind a watermark, oldest first: bans, cuts and
	// deletions, each with the Rev that it gave the client. Nothing is skipped, whatever
	// commits meanwhile; what lies behind a watermark may be told twice. The zero
	// watermark asks for none, and where to begin. Cuts are kept for CutsKept.
	CutsSince(ctx context.Context, after Watermark, limit int) (cuts []skein.Cut, next Watermark, err error)
	// MarkSeen stores when clients were last online. It ignores a time before the stored
	// one, and unknown clients.
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
	// skein.Fault whose Field is the first missing id, of c.Creator first; ErrBanned as one
	// that names c.Creator, who must not be banned when this is written, even to be
	// answered a pair's; an empty c.Creator is not checked. ErrConflict when the id is
	// taken; ErrTooLarge and ErrForbidden as of AddMembers; ErrUnknownApp.
	CreateConversation(ctx context.Context, c skein.Conversation, members []skein.Member, limit MemberLimit) (got skein.Conversation, created bool, err error)
	// Conversation is one conversation and, where client is not empty, that client
	// as its member (nil: it is none). Errors: ErrUnknownConversation.
	Conversation(ctx context.Context, app string, id skein.ID, client string) (skein.Conversation, *skein.Member, error)
	// FindConversations returns a page of the conversations that meet the query, newest
	// first: by Active, then by creation. A caller that follows the cursor to the end
	// sees every conversation that met the query all the time. One that became active
	// meanwhile may come twice.
	FindConversations(ctx context.Context, app string, q skein.ConvQuery) (skein.ConvPage, error)
	// UpdateConversations replaces Extend, Updated and Active of all that meet
	// where, and answers their ids; one that comes to meet it during the call may be
	// left out. by must be met in each of them. It is many transactions where it changes much: after an error some may
	// have been changed. Errors: ErrTooLarge when more than
	// skein.MaxUpdated match; ErrUnknownConversation when none does.
	UpdateConversations(ctx context.Context, app string, by Authority, where []skein.Condition, extend []byte, at skein.Millis) ([]skein.ID, error)
	// UpdateConversation lets change alter Extend, MuteAll, Updated and Active of one
	// conversation and answers the result, on the terms of UpdateApp. Errors:
	// ErrUnknownConversation.
	UpdateConversation(ctx context.Context, app string, id skein.ID, by Authority, change func(*skein.Conversation) error) (skein.Conversation, error)
	// DeleteConversation makes the conversation unknown at once and answers who
	// was a member; Purge removes the rows. Errors: ErrUnknownConversation.
	DeleteConversation(ctx context.Context, app string, id skein.ID, by Authority) (members []string, err error)
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
	AddMembers(ctx context.Context, app string, id skein.ID, by Authority, clients []string, at skein.Millis, limit MemberLimit) (added []string, err error)
	// RemoveMembers takes clients out and answers who was a member. A client takes out
	// itself and those whose role is below its own. Whoever is muted then is still muted
	// when it is a member again. In a room it keeps those it names but the caller,
	// members or not, from coming back by themselves (MemberLimit.Itself) until ban: a
	// past moment lifts that, zero leaves it. Whom others add is banned no more. Errors:
	// ErrUnknownConversation; ErrForbidden as a Fault naming who is not below the caller.
	RemoveMembers(ctx context.Context, app string, id skein.ID, by Authority, clients []string, at, ban skein.Millis) (removed []string, err error)
	// Members is a page of the members in order of joining. Errors:
	// ErrUnknownConversation.
	Members(ctx context.Context, app string, id skein.ID, q skein.MemberQuery) (skein.MemberPage, error)
	// UpdateMember lets change alter a member (not Client, Joined, JoinSeq, SentSeq)
	// and answers the result, on the terms of UpdateApp; what change leaves as it was
	// is not written. Positions never run back and never pass LastSeq, whatever
	// change says. A new owner makes the one before it an admin. Where Role, Nickname
	// or MutedUntil differ the conversation's Updated becomes at. Errors:
	// ErrUnknownConversation; ErrUnknownClient about who is no member.
	UpdateMember(ctx context.Context, app string, id skein.ID, by Authority, client string, at skein.Millis, change func(skein.Conversation, *skein.Member) error) (skein.Conversation, skein.Member, error)
	// UpdateMemberships calls UpdateMember for one client in many conversations, in one
	// transaction. change gets the index of the conversation in ids and may alter only
	// the member's positions and Marks. The results are in the order of ids.
	UpdateMemberships(ctx context.Context, app, client string, ids []skein.ID, change func(i int, c skein.Conversation, m *skein.Member)) ([]Membership, error)
	// CountReaders counts the members who had joined when the message with this seq was
	// stored, and how many of them have received it and read it. Errors:
	// ErrUnknownConversation.
	CountReaders(ctx context.Context, app string, id skein.ID, seq int64) (Readers, error)
	// Audience returns the members in order of joining, with what a delivery needs of
	// them, and the RosterRev of this list. The revision is never below atLeast: a cache
	// that has an older list reads the store again; zero accepts any. Members who had
	// joined when a message was stored receive it live. Callers must not write to the
	// list. An unknown conversation has no members and revision zero. Every delivery calls
	// Audience, so it must be fast.
	Audience(ctx context.Context, app string, id skein.ID, atLeast int64) (all []skein.Listener, rev int64, err error)
}

// MemberLimit bounds AddMembers; zero fields do not.
type MemberLimit struct {
	Members   int         // of the conversation afterwards, unless it is a room
	PerClient int         // conversations of each new member afterwards
	Itself    bool        // the clients join by themselves: ErrForbidden about one who is banned
	Adder     string      // the client who adds the others; empty: the backend does
	AddBy     skein.AddBy // of clients who chose nothing
}

// Readers is what CountReaders returns.
type Readers struct{ Members, Received, Read int }

// Membership is the result of UpdateMemberships for one conversation.
type Membership struct {
	Conversation  skein.Conversation
	Before, After skein.Member
	Err           error // ErrUnknownConversation; ErrUnknownClient about who is no member
}

// RetryTime is how long a retry is known by its ClientMsgID at least. Later it may be
// stored as a new message.
const RetryTime = 7 * 24 * time.Hour

// Messages keeps the messages.
type Messages interface {
	// Append stores a draft as the next message of its conversation; seqs start at 1
	// and have no gaps. If a message with the draft's Sender and ClientMsgID was stored in
	// this conversation within RetryTime, Append returns that message, with again true,
	// even if the sender was banned, removed or deleted meanwhile. A client that was
	// created with the id of a deleted one does not get the deleted one's message. A retry
	// with another body is
	// ErrConflict; NoSync, which is about delivery, and a body that was erased are not
	// compared. The commit hook is called before Append returns.
	//
	// Errors: ErrUnknownConversation; ErrUnknownClient and ErrBanned about the sender;
	// ErrForbidden when the sender does not meet draft.Need or is muted
	// (skein.Silenced); with NeedServer the sender need not be a member and is never
	// muted; ErrUnknownMessage when ReplyTo is not a message of this conversation;
	// ErrConflict when the message id is taken.
	Append(ctx context.Context, d skein.Draft) (m skein.Message, again bool, err error)
	// AppendAll calls Append for each draft in this order and returns when all have a
	// result. A refused draft does not stop the others. After an error any of the drafts
	// may or may not have been stored. The caller must not change the drafts any more.
	AppendAll(ctx context.Context, drafts []skein.Draft) ([]Appended, error)
	// Admit makes the checks of Append for a transient message. It stores nothing.
	Admit(ctx context.Context, d skein.Draft) (skein.Conversation, error)
	// Messages reads a range of seqs; a Limit of zero reads none. An unknown
	// conversation has no messages.
	Messages(ctx context.Context, app string, conv skein.ID, r skein.SeqRange) ([]skein.Message, error)
	// FindMessages searches a range of seqs, in the order and to the limit of the range.
	// It examines at most skein.MaxLooked messages. A recalled or erased message matches by
	// sender, type and time. An unknown conversation has no messages. Errors:
	// ErrRateLimited when the search takes too long.
	FindMessages(ctx context.Context, app string, conv skein.ID, q skein.MessageQuery) (skein.FoundMessages, error)
	// Message returns one message. If viewer deleted it for itself, the message has no
	// body; an empty viewer sees all. Errors: ErrUnknownMessage.
	Message(ctx context.Context, app string, conv, id skein.ID, viewer string) (skein.Message, error)
}

// Appended is the result of one draft of AppendAll.
type Appended struct {
	Message skein.Message
	Again   bool
	Passed  bool // the sender had unread messages before this one; they count as read now
	// RosterRev is the conversation's when the draft was taken; see skein.Conversation.
	RosterRev int64
	Err       error
}

// Changes keeps what became of messages. Each change has the next change_seq of
// its conversation: from 1, dense.
type Changes interface {
	// ChangeMessage lets decide look at a message as it is and say what becomes of it,
	// does that and answers it with its Seq, all in one transaction. emoji is the one
	// that MessageState.Reacted is about. decide may run more than once and must not wait or call the store. Of what it answers
	// Kind, At, On and, for an edit, Message.Text, Attr, MentionAll and Mentions are taken; a Kind
	// of ChangeNone changes nothing, and the answer shows the message as it is; so
	// does a change to what is so already. The answer shows the message as by sees it.
	// An edit adds one to Version. A recall blanks the message for good: body,
	// mentions, reactions, pin, what retries are compared with. The commit hook has
	// seen the change before this returns. Errors: those of decide;
	// ErrUnknownConversation, ErrUnknownMessage; ErrTooLarge past MaxReactions, about
	// the emoji; ErrConflict where a blank message is to be edited, reacted to or
	// pinned; ErrMissing where nobody reacts or hides.
	ChangeMessage(ctx context.Context, app string, conv, id skein.ID, by Authority, emoji string, decide func(skein.MessageState) (skein.Change, error)) (skein.Change, error)
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
// nothing for the members: the store derives unread counts and views when it is asked.
type Inbox interface {
	// View returns one conversation. Errors: ErrUnknownConversation; ErrUnknownClient
	// when the client is not a member.
	View(ctx context.Context, app string, id skein.ID, client string) (skein.View, error)
	// Views returns a page of conversations, under the rules of FindConversations. An
	// unknown client has none.
	Views(ctx context.Context, app, client string, q skein.ViewQuery) (skein.ViewPage, error)
	// Unread adds up the unread counts of a client's conversations, archived or not.
	// Conversations that the client muted count only if muted is set. Errors:
	// ErrRateLimited when that is too much work for one call; so does ToRead.
	Unread(ctx context.Context, app, client string, muted bool) (skein.UnreadTotal, error)
	// ToRead returns the LastSeq of each of the client's conversations that has unread
	// messages or that the client marked as unread.
	ToRead(ctx context.Context, app, client string) ([]skein.Receipt, error)
	// Sync returns what has changed for the client since a cursor: at most limit
	// conversations, and about 1 MiB. A caller that follows the cursor to the end, and
	// again later, sees every conversation that changed, whatever commits in between.
	// The cost grows with what changed. It is at most a constant for each conversation of
	// the client, and of recent changes at most a constant for each conversation of the
	// app.
	Sync(ctx context.Context, app, client string, after skein.SyncCursor, limit int) (skein.SyncPage, error)
}

// Uploads keeps which files are in the storage and what refers to them. A file is kept
// while anything in its app refers to it: url, text or attr of a message, a
// conversation's Extend, a client's Ext or BanReason, a member's Draft or Nickname
// (skein.UploadsIn finds the references). A file that nothing refers to is kept until
// its Until. The first reference, unless it is in a member's texts, ends that term: from
// then on the file may be removed as soon as the last reference is changed, recalled,
// erased or deleted. Deleting an app removes its files.
type Uploads interface {
	// AddUpload adds a file. Errors: ErrUnknownApp; ErrConflict when the name is taken;
	// ErrTooLarge when the app's files would exceed u.Quota.
	AddUpload(ctx context.Context, u skein.Upload) error
	// StoredBytes returns the total size of the app's files, at the cost of one look-up.
	// An unknown app has none.
	StoredBytes(ctx context.Context, app string) (int64, error)
	// Upload returns a file by its name. A file that may be removed is not found any more,
	// even before it is released.
	Upload(ctx context.Context, name string) (u skein.Upload, found bool, err error)
	// ReleaseUploads releases some of the files of one app that may be removed at now;
	// the next call takes another app. Nothing can refer to a released file any more. No
	// file is released before FillUploads has finished. more reports whether to call again.
	ReleaseUploads(ctx context.Context, now skein.Millis) (more bool, err error)
	// ReleasedUploads lists released files that ForgetUploads has not removed: at most
	// limit names, in order, behind after.
	ReleasedUploads(ctx context.Context, after string, limit int) ([]string, error)
	// ForgetUploads removes released files whose bytes are gone.
	ForgetUploads(ctx context.Context, names []string) error
	// CheckUploads takes files that are in the storage and returns those that are neither
	// known nor released. It stores sizes that were not known.
	CheckUploads(ctx context.Context, stored []skein.StoredFile) (unknown []string, err error)
}

// Erased is what one EraseMessages erased of a client.
type Erased struct {
	App, Client string
	Messages    int // that it had sent
	Reactions   int // to messages of others
}

// CommitHook is called with every message that this node stored and every change that
// it made to one, at least once and in commit order: within a conversation in seq and
// change_seq order, and never concurrently. Each node's store calls the hook of that
// node alone. The store calls it after the commit and before the calls that caused it
// return. The hook must not wait and must not keep the slice.
type CommitHook func([]skein.Committed)

// Upkeep is what the server does to its store beside serving calls.
type Upkeep interface {
	// Ping reports whether the store can answer now.
	Ping(ctx context.Context) error
	// Purge removes some of the rows that no method shows any more: deleted apps and
	// conversations, temporary conversations past their end at now, retries past RetryTime,
	// events older than EventDays, attempts and failed deliveries of webhooks
	// older than skein.AttemptsKept and skein.DeadLettersKept, usage and uses of keys older than
	// skein.UsageDays. Each call is short. more reports whether there is
	// anything left.
	Purge(ctx context.Context, now skein.Millis) (more bool, err error)
	// EraseMessages removes text, attr, url and mentions from some of the messages of
	// clients deleted with erase and makes them StatusDeleted. Each is a change of its
	// conversation: a recall without a caller. It also removes the reactions of these
	// clients under others' messages, each a change of kind ChangeReact by the client.
	// Messages and reactions of a client that was created anew with such an id stay. It
	// returns what it erased, all of one client. more as in Purge.
	EraseMessages(ctx context.Context, now skein.Millis) (e Erased, more bool, err error)
	// FillUploads finds references to files in some of the rows of an earlier version,
	// which did not store them all. more as in Purge.
	FillUploads(ctx context.Context) (more bool, err error)
	// NewEpoch declares that the store holds another history from now on, such as a
	// restored backup: cursors of Sync and Feed from before ask their holders to begin
	// anew.
	NewEpoch(ctx context.Context) error
	// Secret returns 16 random bytes that this store has for as long as it exists; a
	// restored backup has the same.
	Secret() []byte
	// Close waits for the writes that were accepted and closes the store.
	Close() error
}

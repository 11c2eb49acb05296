package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// errUnfinished is what a method answers that this engine does not have yet.
var errUnfinished = errors.New("not there yet on PostgreSQL")

func lacking(method string) error { return fmt.Errorf("%s: %w", method, errUnfinished) }

// unfinished has every method that is not there yet. A method that is written is defined on
// Store, or on what it embeds less deeply than this, and is removed here.
type unfinished struct{}

func (unfinished) CreateApp(context.Context, skein.App) (err error) {
	return lacking("CreateApp")
}

func (unfinished) App(context.Context, string) (r0 skein.App, err error) {
	return r0, lacking("App")
}

func (unfinished) Apps(context.Context) (r0 []skein.App, err error) {
	return r0, lacking("Apps")
}

func (unfinished) UpdateApp(context.Context, string, func(*skein.App) error) (err error) {
	return lacking("UpdateApp")
}

func (unfinished) DeleteApp(context.Context, string) (err error) {
	return lacking("DeleteApp")
}

func (unfinished) CreateClient(context.Context, skein.Client) (r0 skein.Client, r1 bool, err error) {
	return r0, r1, lacking("CreateClient")
}

func (unfinished) CreateClients(context.Context, string, []skein.Client) (r0 []store.CreatedClient, err error) {
	return r0, lacking("CreateClients")
}

func (unfinished) Client(context.Context, string, string) (r0 skein.Client, err error) {
	return r0, lacking("Client")
}

func (unfinished) Clients(context.Context, string, skein.ClientQuery) (r0 skein.ClientPage, err error) {
	return r0, lacking("Clients")
}

func (unfinished) UpdateClient(context.Context, string, string, func(*skein.Client) error) (r0 skein.Client, err error) {
	return r0, lacking("UpdateClient")
}

func (unfinished) DeleteClient(context.Context, string, string, skein.Millis, bool) (r0 []skein.ID, r1 int64, err error) {
	return r0, r1, lacking("DeleteClient")
}

func (unfinished) CutsSince(context.Context, store.Watermark, int) (r0 []skein.Cut, r1 store.Watermark, err error) {
	return r0, r1, lacking("CutsSince")
}

func (unfinished) MarkSeen(context.Context, []skein.Sighting) (err error) {
	return lacking("MarkSeen")
}

func (unfinished) CreateConversation(context.Context, skein.Conversation, []skein.Member, store.MemberLimit) (r0 skein.Conversation, r1 bool, err error) {
	return r0, r1, lacking("CreateConversation")
}

func (unfinished) Conversation(context.Context, string, skein.ID, string) (r0 skein.Conversation, r1 *skein.Member, err error) {
	return r0, r1, lacking("Conversation")
}

func (unfinished) FindConversations(context.Context, string, skein.ConvQuery) (r0 skein.ConvPage, err error) {
	return r0, lacking("FindConversations")
}

func (unfinished) UpdateConversations(context.Context, string, store.Authority, []skein.Condition, []byte, skein.Millis) (r0 []skein.ID, err error) {
	return r0, lacking("UpdateConversations")
}

func (unfinished) UpdateConversation(context.Context, string, skein.ID, store.Authority, func(*skein.Conversation) error) (r0 skein.Conversation, err error) {
	return r0, lacking("UpdateConversation")
}

func (unfinished) DeleteConversation(context.Context, string, skein.ID, store.Authority) (r0 []string, err error) {
	return r0, lacking("DeleteConversation")
}

func (unfinished) AddMembers(context.Context, string, skein.ID, store.Authority, []string, skein.Millis, store.MemberLimit) (r0 []string, err error) {
	return r0, lacking("AddMembers")
}

func (unfinished) RemoveMembers(context.Context, string, skein.ID, store.Authority, []string, skein.Millis, skein.Millis) (r0 []string, err error) {
	return r0, lacking("RemoveMembers")
}

func (unfinished) Members(context.Context, string, skein.ID, skein.MemberQuery) (r0 skein.MemberPage, err error) {
	return r0, lacking("Members")
}

func (unfinished) UpdateMember(context.Context, string, skein.ID, store.Authority, string, skein.Millis, func(skein.Conversation, *skein.Member) error) (r0 skein.Conversation, r1 skein.Member, err error) {
	return r0, r1, lacking("UpdateMember")
}

func (unfinished) UpdateMemberships(context.Context, string, string, []skein.ID, func(i int, c skein.Conversation, m *skein.Member)) (r0 []store.Membership, err error) {
	return r0, lacking("UpdateMemberships")
}

func (unfinished) CountReaders(context.Context, string, skein.ID, int64) (r0 store.Readers, err error) {
	return r0, lacking("CountReaders")
}

func (unfinished) Audience(context.Context, string, skein.ID, int64) (r0 []skein.Listener, r1 int64, err error) {
	return r0, r1, lacking("Audience")
}

func (unfinished) View(context.Context, string, skein.ID, string) (r0 skein.View, err error) {
	return r0, lacking("View")
}

func (unfinished) Views(context.Context, string, string, skein.ViewQuery) (r0 skein.ViewPage, err error) {
	return r0, lacking("Views")
}

func (unfinished) Unread(context.Context, string, string, bool) (r0 skein.UnreadTotal, err error) {
	return r0, lacking("Unread")
}

func (unfinished) ToRead(context.Context, string, string) (r0 []skein.Receipt, err error) {
	return r0, lacking("ToRead")
}

func (unfinished) Sync(context.Context, string, string, skein.SyncCursor, int) (r0 skein.SyncPage, err error) {
	return r0, lacking("Sync")
}

func (unfinished) AddUpload(context.Context, skein.Upload) (err error) {
	return lacking("AddUpload")
}

func (unfinished) StoredBytes(context.Context, string) (r0 int64, err error) {
	return r0, lacking("StoredBytes")
}

func (unfinished) Upload(context.Context, string) (r0 skein.Upload, r1 bool, err error) {
	return r0, r1, lacking("Upload")
}

func (unfinished) ReleaseUploads(context.Context, skein.Millis) (r0 bool, err error) {
	return r0, lacking("ReleaseUploads")
}

func (unfinished) ReleasedUploads(context.Context, string, int) (r0 []string, err error) {
	return r0, lacking("ReleasedUploads")
}

func (unfinished) ForgetUploads(context.Context, []string) (err error) {
	return lacking("ForgetUploads")
}

func (unfinished) CheckUploads(context.Context, []skein.StoredFile) (r0 []string, err error) {
	return r0, lacking("CheckUploads")
}

func (unfinished) Purge(context.Context, skein.Millis) (r0 bool, err error) {
	return r0, lacking("Purge")
}

func (unfinished) FillUploads(context.Context) (r0 bool, err error) {
	return r0, lacking("FillUploads")
}

func (unfinished) NewEpoch(context.Context) (err error) {
	return lacking("NewEpoch")
}

func (unfinished) Feed(context.Context, store.FeedCursor, int) (r0 []store.Entry, r1 store.FeedCursor, err error) {
	return r0, r1, lacking("Feed")
}

func (unfinished) FeedEnd(context.Context) (r0 store.FeedCursor, err error) {
	return r0, lacking("FeedEnd")
}

func (unfinished) Moved(context.Context, store.FeedCursor) (r0 []store.Moved, r1 store.FeedCursor, err error) {
	return r0, r1, lacking("Moved")
}

func (unfinished) ClaimLease(context.Context, string, string, time.Duration) (r0 store.Lease, r1 bool, err error) {
	return r0, r1, lacking("ClaimLease")
}

func (unfinished) RenewLease(context.Context, store.Lease, time.Duration) (err error) {
	return lacking("RenewLease")
}

func (unfinished) ReleaseLease(context.Context, store.Lease) (err error) {
	return lacking("ReleaseLease")
}

func (unfinished) KeepCursor(context.Context, store.Lease, store.FeedCursor) (err error) {
	return lacking("KeepCursor")
}

func (unfinished) EnterSession(context.Context, store.Login) (r0 int64, r1 []store.Displaced, err error) {
	return r0, r1, lacking("EnterSession")
}

func (unfinished) LeaveSessions(context.Context, []store.Session) (r0 []store.Departure, err error) {
	return r0, lacking("LeaveSessions")
}

func (unfinished) SessionsOf(context.Context, string, []string) (r0 []store.Session, err error) {
	return r0, lacking("SessionsOf")
}

func (unfinished) RenewNode(context.Context, string, time.Duration) (r0 []store.Displaced, r1 bool, err error) {
	return r0, r1, lacking("RenewNode")
}

func (unfinished) ExpireNodes(context.Context) (r0 []store.Departure, err error) {
	return r0, lacking("ExpireNodes")
}

func (unfinished) Export(context.Context, string, string, store.Sink) (r0 skein.Millis, err error) {
	return r0, lacking("Export")
}

func (unfinished) Import(context.Context, string, []any) (r0 []store.Imported, err error) {
	return r0, lacking("Import")
}

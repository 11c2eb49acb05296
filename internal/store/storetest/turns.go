package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// turns is two handles on one database that take turns, as two nodes do. Which of them
// takes a call is random and the same in every run, so that writes meet writes and
// reads of the other.
type turns struct {
	handles [2]store.Store
	calls   atomic.Uint64
	taken   [2]atomic.Uint64
}

// one is a handle for what a test does through the same one all the time.
func (t *turns) one() store.Store { return t.handles[0] }

func (t *turns) next() store.Store {
	const odd = 0x9e3779b97f4a7c15
	n := t.calls.Add(1) * odd
	i := (n ^ n>>29) >> 40 & 1
	t.taken[i].Add(1)
	if h, lags := t.handles[i].(interface{ CatchUp() }); lags {
		h.CatchUp()
	}
	return t.handles[i]
}

func (t *turns) CreateApp(ctx context.Context, app skein.App) error {
	return t.next().CreateApp(ctx, app)
}
func (t *turns) App(ctx context.Context, id string) (skein.App, error) { return t.next().App(ctx, id) }
func (t *turns) Apps(ctx context.Context) ([]skein.App, error)         { return t.next().Apps(ctx) }
func (t *turns) UpdateApp(ctx context.Context, id string, change func(*skein.App) error) error {
	return t.next().UpdateApp(ctx, id, change)
}
func (t *turns) DeleteApp(ctx context.Context, id string) error { return t.next().DeleteApp(ctx, id) }
func (t *turns) WordList(ctx context.Context, app string) (skein.WordList, error) {
	return t.next().WordList(ctx, app)
}

func (t *turns) Operators(ctx context.Context) ([]skein.OperatorAccount, error) {
	return t.next().Operators(ctx)
}
func (t *turns) Administer(ctx context.Context, do func(context.Context, store.AdminTx) (skein.Deed, error)) (skein.Deed, error) {
	return t.next().Administer(ctx, do)
}
func (t *turns) Audit(ctx context.Context, q skein.AuditQuery) ([]skein.Deed, error) {
	return t.next().Audit(ctx, q)
}
func (t *turns) AuditAfter(ctx context.Context, seq int64, limit int) ([]skein.Deed, error) {
	return t.next().AuditAfter(ctx, seq, limit)
}

func (t *turns) CreateClient(ctx context.Context, c skein.Client) (skein.Client, bool, error) {
	return t.next().CreateClient(ctx, c)
}
func (t *turns) CreateClients(ctx context.Context, app string, clients []skein.Client) ([]store.CreatedClient, error) {
	return t.next().CreateClients(ctx, app, clients)
}
func (t *turns) Client(ctx context.Context, app, id string) (skein.Client, error) {
	return t.next().Client(ctx, app, id)
}
func (t *turns) Clients(ctx context.Context, app string, q skein.ClientQuery) (skein.ClientPage, error) {
	return t.next().Clients(ctx, app, q)
}
func (t *turns) UpdateClientBy(ctx context.Context, d skein.Deed, app, id string, change func(*skein.Client) error) (skein.Client, error) {
	return t.next().UpdateClientBy(ctx, d, app, id, change)
}
func (t *turns) UpdateClient(ctx context.Context, app, id string, change func(*skein.Client) error) (skein.Client, error) {
	return t.next().UpdateClient(ctx, app, id, change)
}
func (t *turns) DeleteClient(ctx context.Context, app, id string, at skein.Millis, erase bool) ([]skein.ID, int64, error) {
	return t.next().DeleteClient(ctx, app, id, at, erase)
}
func (t *turns) CutsSince(ctx context.Context, after store.Watermark, limit int) ([]skein.Cut, store.Watermark, error) {
	return t.next().CutsSince(ctx, after, limit)
}
func (t *turns) MarkSeen(ctx context.Context, seen []skein.Sighting) error {
	return t.next().MarkSeen(ctx, seen)
}

func (t *turns) CreateConversation(ctx context.Context, c skein.Conversation, members []skein.Member, limit store.MemberLimit) (skein.Conversation, bool, error) {
	return t.next().CreateConversation(ctx, c, members, limit)
}
func (t *turns) Conversation(ctx context.Context, app string, id skein.ID, client string) (skein.Conversation, *skein.Member, error) {
	return t.next().Conversation(ctx, app, id, client)
}
func (t *turns) FindConversations(ctx context.Context, app string, q skein.ConvQuery) (skein.ConvPage, error) {
	return t.next().FindConversations(ctx, app, q)
}
func (t *turns) UpdateConversations(ctx context.Context, app string, by store.Authority, where []skein.Condition, extend []byte, at skein.Millis) ([]skein.ID, error) {
	return t.next().UpdateConversations(ctx, app, by, where, extend, at)
}
func (t *turns) UpdateConversation(ctx context.Context, app string, id skein.ID, by store.Authority, change func(*skein.Conversation) error) (skein.Conversation, error) {
	return t.next().UpdateConversation(ctx, app, id, by, change)
}
func (t *turns) DeleteConversation(ctx context.Context, app string, id skein.ID, by store.Authority) ([]string, error) {
	return t.next().DeleteConversation(ctx, app, id, by)
}

func (t *turns) AddMembers(ctx context.Context, app string, id skein.ID, by store.Authority, clients []string, at skein.Millis, limit store.MemberLimit) ([]string, error) {
	return t.next().AddMembers(ctx, app, id, by, clients, at, limit)
}
func (t *turns) RemoveMembers(ctx context.Context, app string, id skein.ID, by store.Authority, clients []string, at, ban skein.Millis) ([]string, error) {
	return t.next().RemoveMembers(ctx, app, id, by, clients, at, ban)
}
func (t *turns) Members(ctx context.Context, app string, id skein.ID, q skein.MemberQuery) (skein.MemberPage, error) {
	return t.next().Members(ctx, app, id, q)
}
func (t *turns) UpdateMember(ctx context.Context, app string, id skein.ID, by store.Authority, client string, at skein.Millis, change func(skein.Conversation, *skein.Member) error) (skein.Conversation, skein.Member, error) {
	return t.next().UpdateMember(ctx, app, id, by, client, at, change)
}
func (t *turns) UpdateMemberships(ctx context.Context, app, client string, ids []skein.ID, change func(i int, c skein.Conversation, m *skein.Member)) ([]store.Membership, error) {
	return t.next().UpdateMemberships(ctx, app, client, ids, change)
}
func (t *turns) CountReaders(ctx context.Context, app string, id skein.ID, seq int64) (store.Readers, error) {
	return t.next().CountReaders(ctx, app, id, seq)
}
func (t *turns) Audience(ctx context.Context, app string, id skein.ID, atLeast int64) ([]skein.Listener, int64, error) {
	return t.next().Audience(ctx, app, id, atLeast)
}

func (t *turns) Append(ctx context.Context, d skein.Draft) (skein.Message, bool, error) {
	return t.next().Append(ctx, d)
}
func (t *turns) AppendAll(ctx context.Context, drafts []skein.Draft) ([]store.Appended, error) {
	return t.next().AppendAll(ctx, drafts)
}
func (t *turns) Admit(ctx context.Context, d skein.Draft) (skein.Conversation, error) {
	return t.next().Admit(ctx, d)
}
func (t *turns) Messages(ctx context.Context, app string, conv skein.ID, r skein.SeqRange) ([]skein.Message, error) {
	return t.next().Messages(ctx, app, conv, r)
}
func (t *turns) FindMessages(ctx context.Context, app string, conv skein.ID, q skein.MessageQuery) (skein.FoundMessages, error) {
	return t.next().FindMessages(ctx, app, conv, q)
}
func (t *turns) Message(ctx context.Context, app string, conv, id skein.ID, viewer string) (skein.Message, error) {
	return t.next().Message(ctx, app, conv, id, viewer)
}

func (t *turns) ChangeMessage(ctx context.Context, app string, conv, id skein.ID, by store.Authority, emoji string, decide func(skein.MessageState) (skein.Change, error)) (skein.Change, error) {
	return t.next().ChangeMessage(ctx, app, conv, id, by, emoji, decide)
}
func (t *turns) Changes(ctx context.Context, app string, conv skein.ID, r skein.ChangeRange) ([]skein.Change, error) {
	return t.next().Changes(ctx, app, conv, r)
}
func (t *turns) Hidden(ctx context.Context, app string, conv skein.ID, after int64) ([]skein.Hiding, error) {
	return t.next().Hidden(ctx, app, conv, after)
}
func (t *turns) Pins(ctx context.Context, app string, conv skein.ID, viewer string) ([]skein.Message, error) {
	return t.next().Pins(ctx, app, conv, viewer)
}

func (t *turns) View(ctx context.Context, app string, id skein.ID, client string) (skein.View, error) {
	return t.next().View(ctx, app, id, client)
}
func (t *turns) Views(ctx context.Context, app, client string, q skein.ViewQuery) (skein.ViewPage, error) {
	return t.next().Views(ctx, app, client, q)
}
func (t *turns) Unread(ctx context.Context, app, client string, muted bool) (skein.UnreadTotal, error) {
	return t.next().Unread(ctx, app, client, muted)
}
func (t *turns) ToRead(ctx context.Context, app, client string) ([]skein.Receipt, error) {
	return t.next().ToRead(ctx, app, client)
}
func (t *turns) Sync(ctx context.Context, app, client string, after skein.SyncCursor, limit int) (skein.SyncPage, error) {
	return t.next().Sync(ctx, app, client, after, limit)
}

func (t *turns) AddUpload(ctx context.Context, u skein.Upload) error {
	return t.next().AddUpload(ctx, u)
}
func (t *turns) StoredBytes(ctx context.Context, app string) (int64, error) {
	return t.next().StoredBytes(ctx, app)
}
func (t *turns) Upload(ctx context.Context, name string) (skein.Upload, bool, error) {
	return t.next().Upload(ctx, name)
}
func (t *turns) ReleaseUploads(ctx context.Context, now skein.Millis) (bool, error) {
	return t.next().ReleaseUploads(ctx, now)
}
func (t *turns) ReleasedUploads(ctx context.Context, after string, limit int) ([]string, error) {
	return t.next().ReleasedUploads(ctx, after, limit)
}
func (t *turns) ForgetUploads(ctx context.Context, names []string) error {
	return t.next().ForgetUploads(ctx, names)
}
func (t *turns) CheckUploads(ctx context.Context, stored []skein.StoredFile) ([]string, error) {
	return t.next().CheckUploads(ctx, stored)
}

func (t *turns) Export(ctx context.Context, app, client string, sink store.Sink) (skein.Millis, error) {
	return t.next().Export(ctx, app, client, sink)
}
func (t *turns) Import(ctx context.Context, app string, records []any) ([]store.Imported, error) {
	return t.next().Import(ctx, app, records)
}

func (t *turns) EnterSession(ctx context.Context, l store.Login) (store.Entered, error) {
	return t.next().EnterSession(ctx, l)
}
func (t *turns) LeaveSessions(ctx context.Context, sessions []store.Session) ([]store.Departure, error) {
	return t.next().LeaveSessions(ctx, sessions)
}
func (t *turns) SessionsOf(ctx context.Context, app string, clients []string) ([]store.Session, error) {
	return t.next().SessionsOf(ctx, app, clients)
}
func (t *turns) RenewNode(ctx context.Context, node string, lease time.Duration) ([]store.Displaced, bool, error) {
	return t.next().RenewNode(ctx, node, lease)
}
func (t *turns) CountNodes(ctx context.Context, ahead time.Duration) (int, error) {
	return t.next().CountNodes(ctx, ahead)
}
func (t *turns) ExpireNodes(ctx context.Context) ([]store.Departure, error) {
	return t.next().ExpireNodes(ctx)
}

func (t *turns) Feed(ctx context.Context, after store.FeedCursor, limit int) ([]store.Entry, store.FeedCursor, error) {
	return t.next().Feed(ctx, after, limit)
}
func (t *turns) FeedEnd(ctx context.Context) (store.FeedCursor, error) { return t.next().FeedEnd(ctx) }
func (t *turns) Moved(ctx context.Context, after store.FeedCursor) ([]store.Moved, store.FeedCursor, error) {
	return t.next().Moved(ctx, after)
}

func (t *turns) ClaimLease(ctx context.Context, name, node string, ttl time.Duration) (store.Lease, bool, error) {
	return t.next().ClaimLease(ctx, name, node, ttl)
}
func (t *turns) RenewLease(ctx context.Context, l store.Lease, ttl time.Duration) error {
	return t.next().RenewLease(ctx, l, ttl)
}
func (t *turns) ReleaseLease(ctx context.Context, l store.Lease) error {
	return t.next().ReleaseLease(ctx, l)
}
func (t *turns) KeepCursor(ctx context.Context, l store.Lease, c store.FeedCursor) error {
	return t.next().KeepCursor(ctx, l, c)
}

func (t *turns) Ping(ctx context.Context) error { return t.next().Ping(ctx) }
func (t *turns) Purge(ctx context.Context, now skein.Millis) (bool, error) {
	return t.next().Purge(ctx, now)
}
func (t *turns) EraseMessages(ctx context.Context, now skein.Millis) (store.Erased, bool, error) {
	return t.next().EraseMessages(ctx, now)
}
func (t *turns) FillUploads(ctx context.Context) (bool, error) { return t.next().FillUploads(ctx) }
func (t *turns) NewEpoch(ctx context.Context) error            { return t.next().NewEpoch(ctx) }
func (t *turns) Secret() []byte                                { return t.next().Secret() }

func (t *turns) Close() error { return errors.Join(t.handles[0].Close(), t.handles[1].Close()) }

func (t *turns) Webhooks(ctx context.Context, app string) ([]store.Endpoint, error) {
	return t.next().Webhooks(ctx, app)
}
func (t *turns) KeepWebhooks(ctx context.Context, l store.Lease, done []store.WebhookWork) error {
	return t.next().KeepWebhooks(ctx, l, done)
}
func (t *turns) FailedDeliveries(ctx context.Context, webhook string, q store.FailedQuery) ([]store.FailedDelivery, error) {
	return t.next().FailedDeliveries(ctx, webhook, q)
}
func (t *turns) WebhookAttempts(ctx context.Context, webhook string, before int64, limit int) ([]store.WebhookAttempt, error) {
	return t.next().WebhookAttempts(ctx, webhook, before, limit)
}
func (t *turns) AddUsage(ctx context.Context, r store.UsageReport) ([]store.UsedToday, error) {
	return t.next().AddUsage(ctx, r)
}
func (t *turns) Usage(ctx context.Context, app string, first, last skein.Day) ([]skein.Usage, error) {
	return t.next().Usage(ctx, app, first, last)
}
func (t *turns) KeyUses(ctx context.Context, app string) (map[string]skein.Millis, error) {
	return t.next().KeyUses(ctx, app)
}
func (t *turns) WarnOfQuota(ctx context.Context, app string, w skein.QuotaWarning) error {
	return t.next().WarnOfQuota(ctx, app, w)
}
func (t *turns) CommitEvents(ctx context.Context, app string, entries []store.Entry) error {
	return t.next().CommitEvents(ctx, app, entries)
}

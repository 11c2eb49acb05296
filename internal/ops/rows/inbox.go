package rows

import (
	"context"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/cursor"
	"github.com/skein-im/skein/internal/wire/request"
)

// The ops on conversations as one client sees them.
const (
	ConvList    ops.Call[request.ListInbox, wire.Page[wire.View]] = "conv.list"
	ConvMark    ops.Call[request.MarkConversation, wire.View]     = "conv.mark"
	ConvUnread  ops.Call[request.CountUnread, wire.UnreadTotal]   = "conv.unread"
	ConvReadAll ops.Call[request.ReadAll, wire.AllRead]           = "conv.read_all"
	Sync        ops.Call[request.Sync, wire.SyncAnswer]           = "sync"
)

func inboxOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(ConvList, ops.Op{
			Method: "GET", Path: userPath + "/conversations", Need: skein.NeedSelf, Codes: []int{211, 212, 4406},
			Doc: ops.Doc{
				EN: "Lists the conversations of a client as that client sees them: pinned conversations first, then by newest activity. Following next_cursor misses none, as in conv.query.",
				ZH: "列出某个用户视角的会话：置顶的在前，其余按最近活跃排序。用 next_cursor 翻页不会遗漏，同 conv.query。",
			},
		}, d.listInbox, func() (string, wire.Page[wire.View]) {
			return `{"client_id":"Tom","size":20}`, wire.NewPage(firstPage(20), []wire.View{answeredView()}, 1, skein.Cursor{})
		}),
		ops.Row(ConvMark, ops.Op{
			Method: "PUT", Path: userPath + "/conversations/{conv_id}", Need: skein.NeedSelf, Codes: []int{211, 212, 4001, 4011, 4406},
			Doc: ops.Doc{
				EN: "Sets the client's own marks on a conversation: pinned, muted, archived, marked as unread, draft, history cleared. Nobody else sees them. The client's other devices receive conv.updated.",
				ZH: "设置用户本人对会话的标记：置顶、免打扰、归档、标为未读、草稿、清除历史。其他人看不到这些标记；本人的其他设备会收到 conv.updated。",
			},
		}, d.markConversation, func() (string, wire.View) {
			return `{"client_id":"Tom","conv_id":"` + ExampleConv + `","pin":1,"draft":"See you"}`, answeredView()
		}),
		ops.Row(ConvUnread, ops.Op{
			Method: "GET", Path: userPath + "/unread", Need: skein.NeedSelf, Codes: []int{211, 212, 4001, 4406},
			Doc: ops.Doc{
				EN: "Counts what is unread in all conversations of a client, archived ones included, for example for the badge of an app. The counts are the sums of those in conv.list. Conversations that the client muted count only if muted is 1.",
				ZH: "统计用户所有会话（含已归档）的未读数，可用于应用角标。结果为 conv.list 中各值之和；设为免打扰的会话仅在 muted 为 1 时计入。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.CountUnread) (wire.UnreadTotal, error) {
			client, err := oneself(by, "client_id", in.ClientID)
			if err != nil {
				return wire.UnreadTotal{}, err
			}
			total, err := d.Chat.Unread(ctx, by, client, bool(in.Muted))
			return wire.UnreadTotalOf(total), err
		}, func() (string, wire.UnreadTotal) {
			return `{"client_id":"Tom"}`, wire.UnreadTotal{Unread: 1, Mentions: 1, Conversations: 1}
		}),
		ops.Row(ConvReadAll, ops.Op{
			Method: "POST", Path: userPath + "/read", Need: skein.NeedSelf, Policy: ops.Policy{Messages: 1}, Codes: []int{211, 212, 4001, 4406},
			Doc: ops.Doc{
				EN: "Marks as read all messages that exist when the call begins, in archived and muted conversations too. It does in each conversation what conv.read does, and other members are notified in the same way. The server handles 100 conversations at a time: if the call fails, some may have been marked; repeat the call to continue. Each 10 conversations with something to read cost one more message of the client's send rate.",
				ZH: "将调用开始时已有的消息全部标为已读，包括已归档与免打扰的会话。对每个会话等同于调用 conv.read，也同样通知其他成员。服务端每次处理 100 个会话：调用失败时部分会话可能已标为已读，重试即可继续。每 10 个有未读内容的会话另计一条消息的发送频率。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.ReadAll) (wire.AllRead, error) {
			client, err := oneself(by, "client_id", in.ClientID)
			if err != nil {
				return wire.AllRead{}, err
			}
			n, err := d.Chat.ReadAll(ctx, by, client)
			d.Gate.Debit(by, n/movesAMessage)
			return wire.AllRead{Conversations: n}, err
		}, func() (string, wire.AllRead) { return `{"client_id":"Tom"}`, wire.AllRead{Conversations: 1} }),
		ops.Row(Sync, ops.Op{
			Method: "GET", Path: userPath + "/sync", Need: skein.NeedSelf, Codes: []int{211, 212, 4406},
			Doc: ops.Doc{
				EN: "Returns what has changed for a client since a cursor; without a cursor, all its conversations.",
				ZH: "返回某个用户自游标以来的变化；不带游标时返回其全部会话。",
			},
		}, d.sync, func() (string, wire.SyncAnswer) {
			return `{"client_id":"Tom","limit":100}`, wire.SyncAnswerOf(skein.SyncPage{
				Views: []skein.View{view()}, Next: skein.SyncCursor{Epoch: 1, Since: 57, Upto: 57}, Done: true,
			}, time.UTC, cursor.NewSealer(nil).For(ExampleApp, string(Sync), "Tom"))
		}),
	}
}

func (d Deps) listInbox(ctx context.Context, by skein.Actor, in request.ListInbox) (out wire.Page[wire.View], err error) {
	client, err := oneself(by, "client_id", in.ClientID)
	if err != nil {
		return out, err
	}
	paging, err := in.Parse(request.ConvPageSize, d.Cursors.For(by.App.ID, string(ConvList), client))
	if err != nil {
		return out, err
	}
	page, err := d.Chat.Views(ctx, by, client, skein.ViewQuery{
		Archived: bool(in.Archived), Offset: paging.Offset(), Limit: paging.Size, After: paging.After,
	})
	items := each(page.Views, func(v skein.View) wire.View { return d.view(by, &v) })
	return wire.NewPage(paging, items, page.Total, page.Next), err
}

func (d Deps) markConversation(ctx context.Context, by skein.Actor, in request.MarkConversation) (out wire.View, err error) {
	client, err := oneself(by, "client_id", in.ClientID)
	if err != nil {
		return out, err
	}
	id, err := request.ConvID(in.ConvID)
	if err != nil {
		return out, err
	}
	if err := in.Given(); err != nil {
		return out, err
	}
	mark := chat.Mark{Pin: (*bool)(in.Pin), Mute: (*bool)(in.Mute), Archive: (*bool)(in.Archive), Unread: (*bool)(in.UnreadMark), ClearTo: in.ClearToSeq}
	if in.Draft.Given {
		mark.Draft = &in.Draft.Text
	}
	v, err := d.Chat.Mark(ctx, by, id, client, mark)
	if err != nil {
		return out, err
	}
	return d.view(by, &v), nil
}

func (d Deps) sync(ctx context.Context, by skein.Actor, in request.Sync) (out wire.SyncAnswer, err error) {
	client, err := oneself(by, "client_id", in.ClientID)
	if err != nil {
		return out, err
	}
	seal := d.Cursors.For(by.App.ID, string(Sync), client)
	after, limit, err := in.Parse(seal)
	if err != nil {
		return out, err
	}
	page, err := d.Chat.Sync(ctx, by, client, after, limit)
	for i := range page.Views {
		page.Views[i].Rights = d.Chat.Rights(by, &page.Views[i], d.needs)
	}
	return wire.SyncAnswerOf(page, d.Zone, seal), err
}

package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

func inboxOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "conv.list", Method: "GET", Path: "/im/users/{client_id}/conversations", Need: skein.NeedSelf,
			Doc: Doc{
				"The conversations of a client as it sees them: those it pinned first, then by newest activity. next_cursor loses none, as in conv.query.",
				"用户视角的会话列表：置顶在前，其余按最近活跃排序。用 next_cursor 翻页不会遗漏，同 conv.query。",
			},
			Answer: wire.Page[wire.View]{},
		}, func(ctx context.Context, by skein.Actor, in request.ListInbox) (any, error) {
			return listInbox(ctx, by, in, d)
		}),
		row(Op{
			Name: "conv.mark", Method: "PUT", Path: "/im/users/{client_id}/conversations/{conv_id}", Need: skein.NeedSelf,
			Doc: Doc{
				"Notes something about a conversation for oneself: pin, mute, archive, marked as unread, draft, history cleared. The client's own devices are told.",
				"对会话做个人标记：置顶、免打扰、归档、标为未读、草稿、清除历史。本人其他设备会收到通知。",
			},
			Answer: wire.View{},
		}, func(ctx context.Context, by skein.Actor, in request.MarkConversation) (any, error) {
			return markConversation(ctx, by, in, d)
		}),
		row(Op{
			Name: "conv.unread", Method: "GET", Path: "/im/users/{client_id}/unread", Need: skein.NeedSelf,
			Doc: Doc{
				"What is unread in all conversations of a client, archived or not, such as for the badge of an app: the sums of what conv.list shows. Those that it muted are left out unless muted is 1.",
				"用户所有会话（含已归档）的未读总数，可用于应用角标：即 conv.list 中各值之和。已设免打扰的会话默认不计，muted 为 1 时计入。",
			},
			Answer: wire.UnreadTotal{},
		}, func(ctx context.Context, by skein.Actor, in request.CountUnread) (any, error) {
			client, err := oneself(by, "client_id", in.ClientID)
			if err != nil {
				return nil, err
			}
			total, err := d.Chat.Unread(ctx, by, client, bool(in.Muted))
			return wire.UnreadTotalOf(total), err
		}),
		row(Op{
			Name: "conv.read_all", Method: "POST", Path: "/im/users/{client_id}/read", Need: skein.NeedSelf, CountsAsSend: true,
			Doc: Doc{
				"Marks everything as read that is there when the call begins, archived and muted conversations too: what conv.read does in each, and others are told as there. It takes 100 conversations at a time: after an error some may have been read, and the same call goes on. Each 10 conversations that had something to read count as one more message of the client's send rate.",
				"将调用开始时已有的内容全部标为已读，包括已归档与免打扰的会话：等同于对每个会话调用 conv.read，并同样通知他人。每次处理 100 个会话：出错时部分会话可能已标为已读，重试即可继续。每 10 个有未读的会话另计一条消息的发送频率。",
			},
			Answer: wire.AllRead{},
		}, func(ctx context.Context, by skein.Actor, in request.ReadAll) (any, error) {
			client, err := oneself(by, "client_id", in.ClientID)
			if err != nil {
				return nil, err
			}
			n, err := d.Chat.ReadAll(ctx, by, client)
			d.Gate.Debit(by, n/movesAMessage)
			return wire.AllRead{Conversations: n}, err
		}),
		row(Op{
			Name: "sync", Method: "GET", Path: "/im/users/{client_id}/sync", Need: skein.NeedSelf,
			Doc: Doc{
				"What has changed for a client since a cursor; without one, all its conversations.",
				"自游标以来该用户的变化；不带游标时返回全部会话。",
			},
			Answer: wire.SyncAnswer{},
		}, func(ctx context.Context, by skein.Actor, in request.Sync) (any, error) {
			client, err := oneself(by, "client_id", in.ClientID)
			if err != nil {
				return nil, err
			}
			seal := d.Cursors.For(by.App.ID, "sync", client)
			after, limit, err := in.Place(seal)
			if err != nil {
				return nil, err
			}
			page, err := d.Chat.Sync(ctx, by, client, after, limit)
			for i := range page.Views {
				page.Views[i].Rights = d.Chat.Rights(by, &page.Views[i], d.needs)
			}
			return wire.SyncAnswerOf(page, d.Zone, seal), err
		}),
	}
}

func listInbox(ctx context.Context, by skein.Actor, in request.ListInbox, d Deps) (any, error) {
	client, err := oneself(by, "client_id", in.ClientID)
	if err != nil {
		return nil, err
	}
	place, err := in.Place(request.ConvPageSize, d.Cursors.For(by.App.ID, "conv.list", client))
	if err != nil {
		return nil, err
	}
	page, err := d.Chat.Views(ctx, by, client, skein.ViewQuery{
		Archived: bool(in.Archived), Offset: place.Offset(), Limit: place.Size, After: place.After,
	})
	if err != nil {
		return nil, err
	}
	items := each(page.Views, func(v skein.View) wire.View { return d.view(by, &v) })
	return wire.NewPage(place, items, page.Total, page.Next), nil
}

func markConversation(ctx context.Context, by skein.Actor, in request.MarkConversation, d Deps) (any, error) {
	client, err := oneself(by, "client_id", in.ClientID)
	if err != nil {
		return nil, err
	}
	id, err := request.ConvID(in.ConvID)
	if err != nil {
		return nil, err
	}
	if err := in.Given(); err != nil {
		return nil, err
	}
	mark := chat.Mark{Pin: (*bool)(in.Pin), Mute: (*bool)(in.Mute), Archive: (*bool)(in.Archive), Unread: (*bool)(in.UnreadMark), ClearTo: in.ClearToSeq}
	if in.Draft.Given {
		mark.Draft = &in.Draft.Text
	}
	v, err := d.Chat.Mark(ctx, by, id, client, mark)
	if err != nil {
		return nil, err
	}
	return d.view(by, &v), nil
}

package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/wire"
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
		}, func(ctx context.Context, by skein.Actor, in wire.ListInbox) (any, error) {
			return listInbox(ctx, by, in, d)
		}),
		row(Op{
			Name: "conv.mark", Method: "PUT", Path: "/im/users/{client_id}/conversations/{conv_id}", Need: skein.NeedSelf,
			Doc: Doc{
				"Notes something about a conversation for oneself: pin, mute, archive, draft, history cleared. The client's own devices are told.",
				"对会话做个人标记：置顶、免打扰、归档、草稿、清除历史。本人其他设备会收到通知。",
			},
			Answer: wire.View{},
		}, func(ctx context.Context, by skein.Actor, in wire.MarkConversation) (any, error) {
			return markConversation(ctx, by, in, d)
		}),
		row(Op{
			Name: "sync", Method: "GET", Path: "/im/users/{client_id}/sync", Need: skein.NeedSelf,
			Doc: Doc{
				"What has changed for a client since a cursor; without one, all its conversations.",
				"自游标以来该用户的变化；不带游标时返回全部会话。",
			},
			Answer: wire.SyncAnswer{},
		}, func(ctx context.Context, by skein.Actor, in wire.SyncRequest) (any, error) {
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
			return wire.SyncAnswerOf(page, d.Zone, seal), err
		}),
	}
}

func listInbox(ctx context.Context, by skein.Actor, in wire.ListInbox, d Deps) (any, error) {
	client, err := oneself(by, "client_id", in.ClientID)
	if err != nil {
		return nil, err
	}
	place, err := in.Place(wire.ConvPageSize, d.Cursors.For(by.App.ID, "conv.list", client))
	if err != nil {
		return nil, err
	}
	page, err := d.Chat.Views(ctx, by, client, skein.ViewQuery{
		Archived: bool(in.Archived), Offset: place.Offset(), Limit: place.Size, After: place.After,
	})
	if err != nil {
		return nil, err
	}
	items := each(page.Views, func(v skein.View) wire.View { return wire.ViewOf(&v, d.Zone) })
	return wire.NewPage(place, items, page.Total, page.Next), nil
}

func markConversation(ctx context.Context, by skein.Actor, in wire.MarkConversation, d Deps) (any, error) {
	client, err := oneself(by, "client_id", in.ClientID)
	if err != nil {
		return nil, err
	}
	id, err := wire.ConvID(in.ConvID)
	if err != nil {
		return nil, err
	}
	if err := in.Given(); err != nil {
		return nil, err
	}
	mark := chat.Mark{Pin: (*bool)(in.Pin), Mute: (*bool)(in.Mute), Archive: (*bool)(in.Archive), ClearTo: in.ClearToSeq}
	if in.Draft.Given {
		mark.Draft = &in.Draft.Text
	}
	v, err := d.Chat.Mark(ctx, by, id, client, mark)
	return wire.ViewOf(&v, d.Zone), err
}

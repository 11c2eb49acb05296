package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

func memberOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "conv.members", Method: "GET", Path: "/im/conversations/{conv_id}/members", Need: skein.NeedMember,
			Doc: Doc{
				"All client ids in order of joining; a page of them with page, size or cursor; with detail=1 role, join time and mute of each.",
				"按加入顺序返回全部成员 id；带 page、size 或 cursor 时分页；detail=1 返回角色、加入时间与禁言。",
			},
			Answer: []string{},
		}, func(ctx context.Context, by skein.Actor, in wire.ListMembers) (any, error) {
			return listMembers(ctx, by, in, d)
		}),
		row(Op{
			Name: "conv.members.add", Method: "POST", Path: "/im/conversations/{conv_id}/members", Need: skein.NeedManager,
			Doc: Doc{
				"Adds clients, all or none; who is a member already is no error. An app may let every member of a group add.",
				"添加成员，要么全部成功要么全部失败；已是成员不算错误。应用可允许群内任何成员添加。",
			},
		}, func(ctx context.Context, by skein.Actor, in wire.ChangeMembers) (any, error) {
			return changeMembers(ctx, by, in, d.Chat.AddMembers)
		}),
		row(Op{
			Name: "conv.members.remove", Method: "DELETE", Path: "/im/conversations/{conv_id}/members", Need: skein.NeedManager,
			Doc: Doc{
				"Removes clients; who is no member is no error. A client removes only those below its own role.",
				"移除成员；不是成员不算错误。客户端只能移除角色低于自己的成员。",
			},
		}, func(ctx context.Context, by skein.Actor, in wire.ChangeMembers) (any, error) {
			return changeMembers(ctx, by, in, d.Chat.RemoveMembers)
		}),
	}
}

func listMembers(ctx context.Context, by skein.Actor, in wire.ListMembers, d Deps) (any, error) {
	id, err := wire.ConvID(in.ConvID)
	if err != nil {
		return nil, err
	}
	place, err := in.Place(wire.MaxPageSize)
	if err != nil {
		return nil, err
	}
	var q skein.MemberQuery // all of them
	paged := in.Page != nil || in.Size != nil || in.Cursor != ""
	if paged {
		q = skein.MemberQuery{Offset: place.Offset(), Limit: place.Size, After: place.After}
	}
	page, total, err := d.Chat.Members(ctx, by, id, q)
	if err != nil {
		return nil, err
	}
	if in.Detail {
		return onPage(paged, place, each(page.Members, wire.MemberOf), total, page.Next), nil
	}
	return onPage(paged, place, each(page.Members, func(m skein.Member) string { return m.Client }), total, page.Next), nil
}

// onPage is the items as a page where one was asked for, else as they are.
func onPage[T any](paged bool, at wire.Place, items []T, total int, next skein.Cursor) any {
	if paged {
		return wire.NewPage(at, items, total, next)
	}
	return items
}

func changeMembers(ctx context.Context, by skein.Actor, in wire.ChangeMembers, change func(context.Context, skein.Actor, skein.ID, []string) error) (any, error) {
	clients, err := wire.ClientIDs("client_ids", in.ClientIDs, skein.MaxMembersPerCall, by.App.Settings.RelaxedClientIDs)
	if err != nil {
		return nil, err
	}
	if len(clients) == 0 {
		return nil, skein.Missing("client_ids")
	}
	return withConv(in.ConvID, func(id skein.ID) error { return change(ctx, by, id, clients) })
}

package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
	"github.com/skein-im/skein/internal/wire/strict"
)

func memberOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "conv.members", Method: "GET", Path: "/im/conversations/{conv_id}/members", Need: skein.NeedMember,
			Doc: Doc{
				"All client ids in order of joining. Pages, roles and mutes: conv.members.list. The parameters page, size, cursor and detail=1 of older programs still work.",
				"按加入顺序返回全部成员 id。分页、角色与禁言见 conv.members.list。旧程序的 page、size、cursor、detail=1 参数仍可用。",
			},
			Answer: []string{},
		}, func(ctx context.Context, by skein.Actor, in request.ListMemberIDs) (any, error) {
			return listMemberIDs(ctx, by, in, d)
		}),
		row(Op{
			Name: "conv.members.list", Method: "GET", Path: "/im/conversations/{conv_id}/memberships", Need: skein.NeedMember,
			Doc: Doc{
				"A page of the members in order of joining, each with role, join time, mute and nickname.",
				"按加入顺序分页返回成员，含角色、加入时间、禁言与昵称。",
			},
			Answer: wire.Page[wire.Member]{},
		}, func(ctx context.Context, by skein.Actor, in request.ListMembers) (any, error) {
			place, err := in.Place(request.MaxPageSize, d.seal(by, "conv.members.list"))
			if err != nil {
				return nil, err
			}
			page, total, err := membersAt(ctx, by, in.ConvID, pageQuery(place), d)
			return wire.NewPage(place, each(page.Members, wire.MemberOf), total, page.Next), err
		}),
		row(Op{
			Name: "conv.members.add", Method: "POST", Path: "/im/conversations/{conv_id}/members", Need: skein.NeedManager, CountsAsSend: true,
			Doc: Doc{
				"Adds clients, all or none; naming one who is a member already is no error. An app may let every member of a group add. This also lets a client back into a chat room that it was removed from. A client may refuse to be added by others (add_by of user.update): 4004 with its id. Other clients can fill only a part of the conversations that a client may be in, and one client at most a tenth: 4130 with its id.",
				"添加成员，要么全部成功要么全部失败；已是成员不算错误。应用可允许群内任何成员添加。被移出聊天室的用户须由此重新加入。用户可拒绝被他人添加（user.update 的 add_by）：返回 4004 及其 id。他人添加只能占用每个用户会话数上限的一部分，单个用户最多占十分之一：否则返回 4130 及其 id。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.ChangeMembers) (any, error) {
			return changeMembers(ctx, by, in, d, d.Chat.AddMembers)
		}),
		row(Op{
			Name: "conv.members.remove", Method: "DELETE", Path: "/im/conversations/{conv_id}/members", Need: skein.NeedManager, CountsAsSend: true,
			Doc: Doc{
				"Removes clients; naming one who is no member is no error. A client removes only members below its own role. In a chat room this is also a ban, even of a client that is no member: it cannot join by itself until ban_until, or until somebody adds it. A mute stays in force after a member leaves or is removed.",
				"移除成员；不是成员不算错误。客户端只能移除角色低于自己的成员。移出聊天室即禁入（不是成员者也适用）：在 ban_until 之前或被重新添加之前不可自行加入。退出或被移出后禁言依然有效。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.RemoveMembers) (any, error) {
			ban, err := in.Ban()
			if err != nil {
				return nil, err
			}
			return changeMembers(ctx, by, in.ChangeMembers, d, func(ctx context.Context, by skein.Actor, id skein.ID, clients []string) error {
				return d.Chat.RemoveMembers(ctx, by, id, clients, ban)
			})
		}),
	}
}

func pageQuery(at wire.Place) skein.MemberQuery {
	return skein.MemberQuery{Offset: at.Offset(), Limit: at.Size, After: at.After}
}

func membersAt(ctx context.Context, by skein.Actor, conv strict.ID, q skein.MemberQuery, d Deps) (skein.MemberPage, int, error) {
	id, err := request.ConvID(conv)
	if err != nil {
		return skein.MemberPage{}, 0, err
	}
	return d.Chat.Members(ctx, by, id, q)
}

func listMemberIDs(ctx context.Context, by skein.Actor, in request.ListMemberIDs, d Deps) (any, error) {
	place, err := in.Place(request.MaxPageSize, d.seal(by, "conv.members"))
	if err != nil {
		return nil, err
	}
	var q skein.MemberQuery // all of them
	paged := in.Page != nil || in.Size != nil || in.Cursor != ""
	if paged {
		q = pageQuery(place)
	}
	page, total, err := membersAt(ctx, by, in.ConvID, q, d)
	if err != nil {
		return nil, err
	}
	d.Gate.Debit(by, len(page.Members)/rowsAMessage)
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

func changeMembers(ctx context.Context, by skein.Actor, in request.ChangeMembers, d Deps, change func(context.Context, skein.Actor, skein.ID, []string) error) (any, error) {
	clients, err := request.ClientIDs("client_ids", in.ClientIDs, skein.MaxMembersPerCall, by.App.Settings.RelaxedClientIDs)
	if err != nil {
		return nil, err
	}
	if len(clients) == 0 {
		return nil, skein.Missing("client_ids")
	}
	if err := chargeMembers(d, by, len(clients)); err != nil {
		return nil, err
	}
	return withConv(in.ConvID, func(id skein.ID) error { return change(ctx, by, id, clients) })
}

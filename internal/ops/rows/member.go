package rows

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
	"github.com/skein-im/skein/internal/wire/strict"
)

// The ops on the members of a conversation.
const (
	MemberIDs     ops.Call[request.ListMemberIDs, []string]             = "conv.members"
	MemberList    ops.Call[request.ListMembers, wire.Page[wire.Member]] = "conv.members.list"
	MembersAdd    ops.Call[request.ChangeMembers, ops.Done]             = "conv.members.add"
	MembersRemove ops.Call[request.RemoveMembers, ops.Done]             = "conv.members.remove"
	MemberUpdate  ops.Call[request.UpdateMember, wire.Member]           = "conv.members.update"
	ConvMuteAll   ops.Call[request.MuteAll, ops.Done]                   = "conv.mute_all"
)

const membersPath = convPath + "/members"

func memberOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.KeepOlder(ops.Row(MemberIDs, ops.Op{
			Method: "GET", Path: membersPath, Need: skein.NeedMember, Codes: []int{4011, 4406},
			Doc: ops.Doc{
				EN: "Returns the ids of all members in the order in which they joined. For pages, roles and mutes call conv.members.list. The parameters page, size, cursor and detail=1 of older programs still work.",
				ZH: "按加入顺序返回全部成员的 id。需要分页、角色与禁言信息时请用 conv.members.list。旧程序使用的 page、size、cursor、detail=1 参数仍然有效。",
			},
		}, d.memberIDs, func() (string, []string) {
			return convField + `}`, []string{"Tom", "Jerry", "Alex"}
		}), MemberIDs, request.ListMemberIDs.Older, d.olderMembers),
		ops.Row(MemberList, ops.Op{
			Method: "GET", Path: convPath + "/memberships", Need: skein.NeedMember, Codes: []int{4011, 4406},
			Doc: ops.Doc{
				EN: "Returns a page of the members in the order in which they joined, each with role, join time, mute and nickname.",
				ZH: "按加入顺序分页返回成员，包含角色、加入时间、禁言与昵称。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.ListMembers) (out wire.Page[wire.Member], err error) {
			paging, err := in.Parse(request.MaxPageSize, d.seal(by, string(MemberList)))
			if err != nil {
				return out, err
			}
			page, total, err := d.members(ctx, by, in.ConvID, memberQuery(paging))
			return wire.NewPage(paging, each(page.Members, wire.MemberOf), total, page.Next), err
		}, func() (string, wire.Page[wire.Member]) {
			return convField + `,"size":20}`, wire.NewPage(firstPage(20), []wire.Member{
				wire.MemberOf(skein.Member{Client: "Tom", Role: skein.RoleOwner, Joined: created, JoinSeq: 1}),
				wire.MemberOf(skein.Member{Client: "Jerry", Joined: created, JoinSeq: 1, Nickname: "Jer"}),
			}, 2, skein.Cursor{})
		}),
		ops.Row(MembersAdd, ops.Op{
			Method: "POST", Path: membersPath, Need: skein.NeedManager, Policy: ops.Policy{Messages: 1}, Codes: []int{211, 212, 4001, 4011, 4016, 4130, 4405, 4406},
			Doc: ops.Doc{
				EN: "Adds clients to a conversation, all or none. A client that is a member already is no error. An app may let every member of a group add others. A client that was removed from a chat room comes back only if it is added. A client may forbid others to add it (add_by of user.update): the call then fails with 4004 and names that client. Other clients can fill only part of the conversations that a client may be in, and one of them at most a tenth: beyond that the call fails with 4130 and names the client.",
				ZH: "向会话添加成员，要么全部成功，要么全部失败；已是成员不算错误。应用可允许群内任何成员添加他人。被移出聊天室的用户须由他人添加才能重新加入。用户可以禁止他人添加自己（user.update 的 add_by），此时返回 4004 及该用户 id。他人的添加只能占用一个用户会话数上限的一部分，其中任何一人最多占十分之一；超出时返回 4130 及该用户 id。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.ChangeMembers) (ops.Done, error) {
			return d.changeMembers(ctx, by, in, d.Chat.AddMembers)
		}, func() (string, ops.Done) { return convField + `,"client_ids":["Iron"]}`, ops.Done{} }),
		ops.Row(MembersRemove, ops.Op{
			Method: "DELETE", Path: membersPath, Need: skein.NeedManager, Policy: ops.Policy{Messages: 1}, Codes: []int{212, 4001, 4011, 4405, 4406},
			Doc: ops.Doc{
				EN: "Removes clients from a conversation. A client that is not a member is no error. A client can remove only members whose role is below its own. In a chat room, removal is also a ban, even for a client that is not a member: until ban_until, or until somebody adds it, the client cannot join by itself. A mute stays in force after its member leaves or is removed.",
				ZH: "从会话移除成员；不是成员不算错误。客户端只能移除角色低于自己的成员。移出聊天室同时禁止加入（对不是成员的用户也有效）：在 ban_until 之前，或被他人重新添加之前，该用户不能自行加入。成员退出或被移除后，其禁言仍然有效。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.RemoveMembers) (ops.Done, error) {
			ban, err := in.Ban()
			if err != nil {
				return ops.Done{}, err
			}
			return d.changeMembers(ctx, by, in.ChangeMembers, func(ctx context.Context, by skein.Actor, id skein.ID, clients []string) error {
				return d.Chat.RemoveMembers(ctx, by, id, clients, ban)
			})
		}, func() (string, ops.Done) { return convField + `,"client_ids":["Iron"]}`, ops.Done{} }),
		ops.Row(MemberUpdate, ops.Op{
			Method: "PUT", Path: membersPath + "/{client_id}", Need: skein.NeedMember, Policy: ops.Policy{Messages: 1}, Codes: []int{211, 212, 4001, 4011, 4015, 4405, 4406},
			Doc: ops.Doc{
				EN: "Updates a member. The owner can change roles. The owner and admins can mute members whose role is below their own and change their nicknames. Every member who is not muted can change its own nickname.",
				ZH: "修改成员。所有者可以修改角色；所有者与管理员可以对角色低于自己的成员禁言、修改昵称；未被禁言的成员可以修改自己的昵称。",
			},
		}, d.updateMember, func() (string, wire.Member) {
			return convField + `,"client_id":"Jerry","role":"admin","nickname":"Jer"}`,
				wire.MemberOf(skein.Member{Client: "Jerry", Role: skein.RoleAdmin, Nickname: "Jer", Joined: created, JoinSeq: 1})
		}),
		ops.Row(ConvMuteAll, ops.Op{
			Method: "POST", Path: convPath + "/mute", Need: skein.NeedManager, Policy: ops.Policy{Messages: 1}, Codes: []int{4001, 4011, 4405, 4406},
			Doc: ops.Doc{
				EN: "Mutes all members of a group or chat room, so that only the owner and admins can send messages, or ends this. A muted member also cannot edit messages, react with text, change its nickname or call typing.",
				ZH: "对群或聊天室开启或解除全员禁言；开启后只有所有者与管理员可以发言。被禁言的成员也不能编辑消息、以文字作表情回应、修改昵称、发送输入状态。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.MuteAll) (ops.Done, error) {
			return withConv(in.ConvID, func(id skein.ID) error { return d.Chat.MuteAll(ctx, by, id, request.Wanted(in.On)) })
		}, func() (string, ops.Done) { return convField + `,"on":1}`, ops.Done{} }),
	}
}

func memberQuery(at wire.PageRequest) skein.MemberQuery {
	return skein.MemberQuery{Offset: at.Offset(), Limit: at.Size, After: at.After}
}

func (d Deps) members(ctx context.Context, by skein.Actor, conv strict.ID, q skein.MemberQuery) (skein.MemberPage, int, error) {
	id, err := request.ConvID(conv)
	if err != nil {
		return skein.MemberPage{}, 0, err
	}
	return d.Chat.Members(ctx, by, id, q)
}

// memberIDs are all members: a query without a limit.
func (d Deps) memberIDs(ctx context.Context, by skein.Actor, in request.ListMemberIDs) ([]string, error) {
	page, _, err := d.members(ctx, by, in.ConvID, skein.MemberQuery{})
	d.Gate.Debit(by, len(page.Members)/rowsAMessage)
	return each(page.Members, memberID), err
}

func memberID(m skein.Member) string { return m.Client }

// olderMembers answers conv.members to programs from before conv.members.list: all or a
// page, with ids or with details.
func (d Deps) olderMembers(ctx context.Context, by skein.Actor, in request.ListMemberIDs) (any, error) {
	paging, err := in.Parse(request.MaxPageSize, d.seal(by, string(MemberIDs)))
	if err != nil {
		return nil, err
	}
	paged, q := in.Paged(), skein.MemberQuery{}
	if paged {
		q = memberQuery(paging)
	}
	page, total, err := d.members(ctx, by, in.ConvID, q)
	if err != nil {
		return nil, err
	}
	d.Gate.Debit(by, len(page.Members)/rowsAMessage)
	switch {
	case !paged:
		return each(page.Members, wire.MemberOf), nil
	case bool(in.Detail):
		return wire.NewPage(paging, each(page.Members, wire.MemberOf), total, page.Next), nil
	default:
		return wire.NewPage(paging, each(page.Members, memberID), total, page.Next), nil
	}
}

func (d Deps) changeMembers(ctx context.Context, by skein.Actor, in request.ChangeMembers, change func(context.Context, skein.Actor, skein.ID, []string) error) (ops.Done, error) {
	clients, err := request.ClientIDs("client_ids", in.ClientIDs, skein.MaxMembersPerCall, by.App.Settings.RelaxedClientIDs)
	if err != nil {
		return ops.Done{}, err
	}
	if len(clients) == 0 {
		return ops.Done{}, skein.Missing("client_ids")
	}
	if err := charge(d, by, len(clients), membersAMessage); err != nil {
		return ops.Done{}, err
	}
	return withConv(in.ConvID, func(id skein.ID) error { return change(ctx, by, id, clients) })
}

func (d Deps) updateMember(ctx context.Context, by skein.Actor, in request.UpdateMember) (out wire.Member, err error) {
	id, err := request.ConvID(in.ConvID)
	if err != nil {
		return out, err
	}
	if err := checkID(by, "client_id", in.ClientID); err != nil {
		return out, err
	}
	role, err := in.Given()
	if err != nil {
		return out, err
	}
	update := chat.MemberUpdate{Role: role}
	if in.MuteUntil.Given {
		until := skein.Millis(in.MuteUntil.Int)
		update.MutedUntil = &until
	}
	if in.Nickname.Given {
		update.Nickname = &in.Nickname.Text
	}
	m, err := d.Chat.UpdateMember(ctx, by, id, string(in.ClientID), update)
	return wire.MemberOf(m), err
}

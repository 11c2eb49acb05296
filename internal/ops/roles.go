package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

func roleOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "conv.members.update", Method: "PUT", Path: "/im/conversations/{conv_id}/members/{client_id}", Need: skein.NeedMember, CountsAsSend: true,
			Doc: Doc{
				"Changes a member: the owner its role; owner and admins the mute and nickname of those below them; everyone who is not muted their own nickname.",
				"修改成员：所有者可改角色；所有者与管理员可对角色低于自己的成员禁言、改昵称；未被禁言者可改自己的昵称。",
			},
			Answer: wire.Member{},
		}, func(ctx context.Context, by skein.Actor, in request.UpdateMember) (any, error) {
			return updateMember(ctx, by, in, d)
		}),
		row(Op{
			Name: "conv.mute_all", Method: "POST", Path: "/im/conversations/{conv_id}/mute", Need: skein.NeedManager, CountsAsSend: true,
			Doc: Doc{
				"Lets only owner and admins speak in a group or chat room, or lets all members speak again. A member who may not speak also cannot edit, react with free text, set its nickname or send typing.",
				"群或聊天室全员禁言（仅所有者与管理员可发言），或解除。被禁言者同样不能编辑、以文字作表情回应、改昵称、发送输入状态。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.MuteAll) (any, error) {
			return withConv(in.ConvID, func(id skein.ID) error { return d.Chat.MuteAll(ctx, by, id, request.Wanted(in.On)) })
		}),
	}
}

func updateMember(ctx context.Context, by skein.Actor, in request.UpdateMember, d Deps) (any, error) {
	id, err := request.ConvID(in.ConvID)
	if err != nil {
		return nil, err
	}
	if err := checkID(by, "client_id", in.ClientID); err != nil {
		return nil, err
	}
	role, err := in.Given()
	if err != nil {
		return nil, err
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

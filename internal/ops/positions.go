package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

func positionOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "conv.read", Method: "POST", Path: "/im/conversations/{conv_id}/read", Need: skein.NeedMember,
			Doc: Doc{
				"Says how far a client has read. The position moves forward only.",
				"上报已读位置，只前进不后退。",
			},
			Answer: wire.Positions{},
		}, movePosition(d.Chat.Read)),
		row(Op{
			Name: "conv.received", Method: "POST", Path: "/im/conversations/{conv_id}/received", Need: skein.NeedMember,
			Doc: Doc{
				"Says how far one of a client's devices has received. What was read has been received.",
				"上报已接收位置（任一设备）。已读即已接收。",
			},
			Answer: wire.Positions{},
		}, movePosition(d.Chat.Received)),
		row(Op{
			Name: "conv.readers", Method: "GET", Path: "/im/conversations/{conv_id}/readers", Need: skein.NeedMember,
			Doc: Doc{
				"Who has received and who has read a message, in order of joining; who joined after it is left out.",
				"消息的接收与已读情况，按加入顺序；在其后加入的成员不计。",
			},
			Answer: wire.Readers{},
		}, func(ctx context.Context, by skein.Actor, in wire.ListReaders) (any, error) {
			return listReaders(ctx, by, in, d)
		}),
		row(Op{
			Name: "typing", Need: skein.NeedMember,
			Doc: Doc{
				"Tells the other members online that I type; at most once in 3 s, more is dropped. Never in rooms and in groups over 200; muted members may not.",
				"通知其他在线成员我正在输入；3 秒内最多一次，多余的丢弃。聊天室与超过 200 人的群不通知；被禁言者不可用。",
			},
		}, func(ctx context.Context, by skein.Actor, in wire.TypingRequest) (any, error) {
			return withConv(in.ConvID, func(id skein.ID) error { return d.Chat.Typing(ctx, by, id, wire.Wanted(in.On)) })
		}),
	}
}

func movePosition(move func(context.Context, skein.Actor, skein.ID, string, *int64) (skein.View, error)) func(context.Context, skein.Actor, wire.MovePosition) (any, error) {
	return func(ctx context.Context, by skein.Actor, in wire.MovePosition) (any, error) {
		client, err := oneself(by, "client_id", in.ClientID)
		if err != nil {
			return nil, err
		}
		id, err := wire.ConvID(in.ConvID)
		if err != nil {
			return nil, err
		}
		to, err := in.To()
		if err != nil {
			return nil, err
		}
		v, err := move(ctx, by, id, client, to)
		return wire.PositionsOf(v), err
	}
}

func listReaders(ctx context.Context, by skein.Actor, in wire.ListReaders, d Deps) (any, error) {
	id, err := wire.ConvID(in.ConvID)
	if err != nil {
		return nil, err
	}
	place, err := in.Place(wire.ConvPageSize, d.seal(by, "conv.readers"))
	if err != nil {
		return nil, err
	}
	seq, err := in.Of()
	if err != nil {
		return nil, err
	}
	r, err := d.Chat.Readers(ctx, by, id, seq, skein.MemberQuery{Offset: place.Offset(), Limit: place.Size, After: place.After})
	if err != nil {
		return nil, err
	}
	items := each(r.Page.Members, func(m skein.Member) wire.Reader { return wire.ReaderOf(m, r.Seq) })
	return wire.Readers{
		ReaderCounts: wire.ReaderCounts{Seq: r.Seq, Members: r.Members, Received: r.Received, Read: r.Read},
		Page:         wire.NewPage(place, items, r.Members, r.Page.Next),
	}, nil
}

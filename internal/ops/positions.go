package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

func positionOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "conv.read", Method: "POST", Path: "/im/conversations/{conv_id}/read", Need: skein.NeedMember,
			Doc: Doc{
				"Says how far a client has read. The position moves forward only. It takes away unread_mark, of which the client's other devices hear by conv.updated. The session that calls is told of neither: it has its answer.",
				"上报已读位置，只前进不后退。同时清除 unread_mark，本人其他设备通过 conv.updated 得知。发起调用的连接不会再收到通知，以返回值为准。",
			},
			Answer: wire.Positions{},
		}, movePosition(d.Chat.Read)),
		row(Op{
			Name: "conv.received", Method: "POST", Path: "/im/conversations/{conv_id}/received", Need: skein.NeedMember,
			Doc: Doc{
				"Says how far one of a client's devices has received. What was read has been received. The session that calls is not told of it: it has its answer.",
				"上报已接收位置（任一设备）。已读即已接收。发起调用的连接不会再收到通知，以返回值为准。",
			},
			Answer: wire.Positions{},
		}, movePosition(d.Chat.Received)),
		row(Op{
			Name: "conv.received_many", Method: "POST", Path: "/im/users/{client_id}/received", Need: skein.NeedSelf,
			Doc: Doc{
				"conv.received of many conversations in one call, such as after a sync: answers for each in the order asked, with a code where the client is no member or there is no such conversation. Each 10 of them count as one message of the client's send rate.",
				"一次上报多个会话的已接收位置，例如 sync 之后：按请求顺序逐一返回，非成员或会话不存在时返回 code。每 10 个计一条消息的发送频率。",
			},
			Answer: []wire.Received{},
		}, func(ctx context.Context, by skein.Actor, in request.ReceivedMany) (any, error) {
			return receivedMany(ctx, by, in, d)
		}),
		row(Op{
			Name: "conv.readers", Method: "GET", Path: "/im/conversations/{conv_id}/readers", Need: skein.NeedMember,
			Doc: Doc{
				"Which members have received and which have read a message, in order of joining. Members who joined after it are left out.",
				"消息的接收与已读情况，按加入顺序；在其后加入的成员不计。",
			},
			Answer: wire.Readers{},
		}, func(ctx context.Context, by skein.Actor, in request.ListReaders) (any, error) {
			return listReaders(ctx, by, in, d)
		}),
		row(Op{
			Name: "typing", Need: skein.NeedMember,
			Doc: Doc{
				"Tells the other members who are online that the client is typing, at most once in 3 s; calls beyond that are dropped. Not told in chat rooms and in groups of more than 200 members. Muted members may not call it.",
				"通知其他在线成员我正在输入；3 秒内最多一次，多余的丢弃。聊天室与超过 200 人的群不通知；被禁言者不可用。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.Typing) (any, error) {
			return withConv(in.ConvID, func(id skein.ID) error { return d.Chat.Typing(ctx, by, id, request.Wanted(in.On)) })
		}),
	}
}

func movePosition(move func(context.Context, skein.Actor, skein.ID, string, *int64) (skein.View, error)) func(context.Context, skein.Actor, request.MovePosition) (any, error) {
	return func(ctx context.Context, by skein.Actor, in request.MovePosition) (any, error) {
		client, err := oneself(by, "client_id", in.ClientID)
		if err != nil {
			return nil, err
		}
		id, err := request.ConvID(in.ConvID)
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

func receivedMany(ctx context.Context, by skein.Actor, in request.ReceivedMany, d Deps) (any, error) {
	client, err := oneself(by, "client_id", in.ClientID)
	if err != nil {
		return nil, err
	}
	receipts, err := in.Check()
	if err != nil {
		return nil, err
	}
	if err := charge(d, by, len(receipts), movesAMessage); err != nil {
		return nil, err
	}
	all, err := d.Chat.ReceivedMany(ctx, by, client, receipts)
	if err != nil {
		return nil, err
	}
	out := make([]wire.Received, len(all))
	for i, m := range all {
		out[i] = wire.ReceivedOf(in.Receipts[i].ConvID, m.After, m.Err, langOf(by))
	}
	return out, nil
}

func listReaders(ctx context.Context, by skein.Actor, in request.ListReaders, d Deps) (any, error) {
	id, err := request.ConvID(in.ConvID)
	if err != nil {
		return nil, err
	}
	place, err := in.Place(request.ConvPageSize, d.seal(by, "conv.readers"))
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

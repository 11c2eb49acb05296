package rows

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

// The ops on how far clients have read and received, and typing.
const (
	ConvRead         ops.Call[request.MovePosition, wire.Positions]  = "conv.read"
	ConvReceived     ops.Call[request.MovePosition, wire.Positions]  = "conv.received"
	ConvReceivedMany ops.Call[request.ReceivedMany, []wire.Received] = "conv.received_many"
	ConvReaders      ops.Call[request.ListReaders, wire.Readers]     = "conv.readers"
	Typing           ops.Call[request.Typing, ops.Done]              = "typing"
)

func positionOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(ConvRead, ops.Op{
			Method: "POST", Path: convPath + "/read", Need: skein.NeedMember, Codes: []int{211, 212, 4001, 4011, 4406},
			Doc: ops.Doc{
				EN: "Moves a client's read position forward; it never moves back. This also clears unread_mark, and the client's other devices learn of that from conv.updated. The connection that makes the call gets neither event: it has the answer.",
				ZH: "移动用户的已读位置，只前进不后退。同时清除 unread_mark，本人的其他设备通过 conv.updated 得知。发起调用的连接不会收到这些事件，以返回值为准。",
			},
		}, movePosition(d.Chat.Read), func() (string, wire.Positions) {
			return convField + `,"seq":2,"client_id":"Tom"}`, wire.PositionsOf(readView())
		}),
		ops.Row(ConvReceived, ops.Op{
			Method: "POST", Path: convPath + "/received", Need: skein.NeedMember, Codes: []int{211, 212, 4001, 4011, 4406},
			Doc: ops.Doc{
				EN: "Moves the position up to which one of a client's devices has received messages. A message that was read counts as received. The connection that makes the call gets no event: it has the answer.",
				ZH: "移动用户的已接收位置（任一设备）。已读的消息视为已接收。发起调用的连接不会收到事件，以返回值为准。",
			},
		}, movePosition(d.Chat.Received), func() (string, wire.Positions) {
			return convField + `,"seq":2,"client_id":"Tom"}`, wire.PositionsOf(view())
		}),
		ops.Row(ConvReceivedMany, ops.Op{
			Method: "POST", Path: userPath + "/received", Need: skein.NeedSelf, Codes: []int{211, 212, 4001, 4406},
			Doc: ops.Doc{
				EN: "Does conv.received for many conversations in one call, for example after sync. The answers are in the order of the request; one for a conversation that does not exist, or that the client is not in, has a code. Each 10 conversations cost one message of the client's send rate.",
				ZH: "一次上报多个会话的已接收位置，例如在 sync 之后。按请求顺序逐一返回；会话不存在或用户不在其中时，该项返回 code。每 10 个会话计一条消息的发送频率。",
			},
		}, d.receivedMany, func() (string, []wire.Received) {
			me := view().Member
			return `{"client_id":"Tom","receipts":[{"conv_id":"` + ExampleConv + `","seq":2},{"conv_id":"` + roomID + `"}]}`, []wire.Received{
				wire.ReceivedOf(ExampleConv, me, nil, wire.Chinese),
				wire.ReceivedOf(roomID, me, skein.ErrUnknownConversation, wire.Chinese),
			}
		}),
		ops.Row(ConvReaders, ops.Op{
			Method: "GET", Path: convPath + "/readers", Need: skein.NeedMember, Codes: []int{4011, 4012, 4406},
			Doc: ops.Doc{
				EN: "Lists which members have received and which have read a message, in the order in which they joined. Members who joined after the message are left out.",
				ZH: "列出某条消息的接收与已读情况，按成员加入顺序。在该消息之后加入的成员不计。",
			},
		}, d.listReaders, func() (string, wire.Readers) {
			return convField + `,"seq":1}`, wire.Readers{
				ReaderCounts: wire.ReaderCounts{Seq: 1, Members: 3, Received: 2, Read: 2},
				Page: wire.NewPage(firstPage(20), []wire.Reader{
					wire.ReaderOf(view().Member, 1),
					wire.ReaderOf(skein.Member{Client: "Jerry", JoinSeq: 1, SentSeq: 2}, 1),
					wire.ReaderOf(skein.Member{Client: "Alex", JoinSeq: 1}, 1),
				}, 3, skein.Cursor{}),
			}
		}),
		ops.Row(Typing, ops.Op{
			Need: skein.NeedMember, Codes: []int{4001, 4011, 4406},
			Doc: ops.Doc{
				EN: "Tells the other members who are online that the client is typing. The server passes on one call in 3 s and drops the others. It tells nobody in chat rooms and in groups of more than 200 members. A muted member cannot call it.",
				ZH: "通知其他在线成员本人正在输入。服务端每 3 秒最多转发一次，其余丢弃；聊天室与超过 200 人的群不通知。被禁言的成员不能调用。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.Typing) (ops.Done, error) {
			return withConv(in.ConvID, func(id skein.ID) error { return d.Chat.Typing(ctx, by, id, request.Wanted(in.On)) })
		}, func() (string, ops.Done) { return convField + `}`, ops.Done{} }),
	}
}

func movePosition(move func(context.Context, skein.Actor, skein.ID, string, *int64) (skein.View, error)) func(context.Context, skein.Actor, request.MovePosition) (wire.Positions, error) {
	return func(ctx context.Context, by skein.Actor, in request.MovePosition) (out wire.Positions, err error) {
		client, err := oneself(by, "client_id", in.ClientID)
		if err != nil {
			return out, err
		}
		id, err := request.ConvID(in.ConvID)
		if err != nil {
			return out, err
		}
		to, err := in.To()
		if err != nil {
			return out, err
		}
		v, err := move(ctx, by, id, client, to)
		return wire.PositionsOf(v), err
	}
}

func (d Deps) receivedMany(ctx context.Context, by skein.Actor, in request.ReceivedMany) ([]wire.Received, error) {
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

func (d Deps) listReaders(ctx context.Context, by skein.Actor, in request.ListReaders) (out wire.Readers, err error) {
	id, err := request.ConvID(in.ConvID)
	if err != nil {
		return out, err
	}
	paging, err := in.Parse(request.ConvPageSize, d.seal(by, string(ConvReaders)))
	if err != nil {
		return out, err
	}
	seq, err := in.Of()
	if err != nil {
		return out, err
	}
	r, err := d.Chat.Readers(ctx, by, id, seq, memberQuery(paging))
	items := each(r.Page.Members, func(m skein.Member) wire.Reader { return wire.ReaderOf(m, r.Seq) })
	return wire.Readers{
		ReaderCounts: wire.ReaderCounts{Seq: r.Seq, Members: r.Members, Received: r.Received, Read: r.Read},
		Page:         wire.NewPage(paging, items, r.Members, r.Page.Next),
	}, err
}

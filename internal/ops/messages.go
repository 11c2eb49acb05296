package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
	"github.com/skein-im/skein/internal/wire/strict"
)

func messageOps(d Deps) []*Op {
	return []*Op{
		batch(Op{
			Name: "msg.send", Method: "POST", Path: "/im/conversations/{conv_id}/message", Need: skein.NeedMember, CountsAsSend: true,
			Doc: Doc{
				"Sends a message; the answer comes once it is durable. The backend may send for any client of the app, member or not; that client's read position stays where it was unless mark_read is 1. On a socket, after a send is refused with 4290, later sends to the same conversation are refused too, for a second or until the refused message comes again with its client_msg_id. So a later message never stands before an earlier one. Other conversations go on.",
				"发送消息；持久化后才返回。服务端可代表应用内任何用户发送，无论是否成员；除非 mark_read 为 1，否则不移动其已读位置。同一连接上某条发送因 4290 被拒后，其后发往同一会话的消息在一秒内同样被拒，直到以相同 client_msg_id 重发该条：后发的消息不会先于先发的。其他会话不受影响。",
			},
			Answer: wire.Sent{},
		}, func(in request.SendMessage) strict.ID { return in.ConvID }, sendingOf, func(ctx context.Context, by skein.Actor, all []chat.Sending) []result {
			sent := d.Chat.Send(ctx, by, all)
			results := make([]result, len(sent))
			for i := range sent {
				results[i] = result{wire.SentOf(&sent[i].Message), sent[i].Err}
			}
			return results
		}),
		row(Op{
			Name: "msg.list", Method: "GET", Path: "/im/conversations/{conv_id}/message", Need: skein.NeedMember,
			Doc: Doc{
				"The history: a page, newest first, or by seq: {data, has_more}, about 1 MiB at the most.",
				"历史消息：按页从新到旧；或按 seq 返回 {data, has_more}，最多约 1 MiB。",
			},
			Answer: wire.MessageList{},
		}, func(ctx context.Context, by skein.Actor, in request.ListMessages) (any, error) {
			return listMessages(ctx, by, in, d.Chat)
		}),
		row(Op{
			Name: "msg.find", Method: "GET", Path: "/im/conversations/{conv_id}/search", Need: skein.NeedMember, CountsAsSend: true,
			Doc: Doc{
				"Looks for messages of a conversation by sender, type and time; what is set must all hold. It looks at 10,000 messages a call at the most: follow next_seq until it is null. A message that was recalled or deleted is found too, and shown as msg.list shows it. The call counts against the client's send rate, more where it looks at many messages. Where the server's clock was put back by more than two days, since and until may miss messages of that time.",
				"按发送者、类型与时间查找会话中的消息，各条件须同时满足。每次最多查看 10000 条消息：请沿 next_seq 继续，直到其为 null。已撤回或删除的消息同样会被找到，形式与 msg.list 相同。此调用计入用户的发送频率，查看的消息越多计入越多。若服务器时钟曾回拨超过两天，since 与 until 可能遗漏该时段的消息。",
			},
			Answer: wire.FoundMessages{},
		}, func(ctx context.Context, by skein.Actor, in request.FindMessages) (any, error) {
			conv, err := request.ConvID(in.ConvID)
			if err != nil {
				return nil, err
			}
			q, err := in.Query()
			if err != nil {
				return nil, err
			}
			found, err := d.Chat.Find(ctx, by, conv, q)
			d.Gate.Debit(by, found.Looked/looksAMessage)
			return wire.NewFoundMessages(found), err
		}),
		row(Op{
			Name: "msg.get", Method: "GET", Path: "/im/conversations/{conv_id}/message/{msg_id}", Need: skein.NeedMember,
			Doc:    Doc{"One message.", "查询单条消息。"},
			Answer: wire.Message{},
		}, func(ctx context.Context, by skein.Actor, in request.Message) (any, error) {
			conv, err := request.ConvID(in.ConvID)
			if err != nil {
				return nil, err
			}
			id, err := request.MsgID(in.MsgID)
			if err != nil {
				return nil, err
			}
			m, err := d.Chat.Message(ctx, by, conv, id)
			return wire.MessageOf(&m), err
		}),
	}
}

// sendingOf checks a request. By socket a message without no_sync goes to the
// sender's other devices, by REST to none of them.
func sendingOf(by skein.Actor, in request.SendMessage) (chat.Sending, error) {
	from, err := oneself(by, "from_client", in.FromClient)
	if err != nil {
		return chat.Sending{}, err
	}
	conv, err := request.ConvID(in.ConvID)
	if err != nil {
		return chat.Sending{}, err
	}
	body, err := in.Body(by.App.Settings.RelaxedClientIDs)
	if err != nil {
		return chat.Sending{}, err
	}
	s := chat.Sending{Body: body, Conv: conv, From: from, ClientMsgID: string(in.ClientMsgID), Device: string(in.DeviceID), MarkRead: bool(in.MarkRead)}
	if in.NoSync == nil && by.Session != "" {
		s.NoSync = true
		if s.Device == "" {
			s.Device = by.Device
		}
	}
	return s, nil
}

func listMessages(ctx context.Context, by skein.Actor, in request.ListMessages, s *chat.Service) (any, error) {
	conv, err := request.ConvID(in.ConvID)
	if err != nil {
		return nil, err
	}
	bySeq, span, err := in.BySeq()
	if err != nil {
		return nil, err
	}
	if bySeq {
		messages, more, err := s.Span(ctx, by, conv, span)
		return wire.NewMessageSpan(messages, more), err
	}
	place, err := in.Place()
	if err != nil {
		return nil, err
	}
	messages, total, err := s.Page(ctx, by, conv, place.Page, place.Size)
	return wire.NewMessagePage(place, messages, total), err
}

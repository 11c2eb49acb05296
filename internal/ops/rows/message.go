package rows

import (
	"context"
	"strconv"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
	"github.com/skein-im/skein/internal/wire/strict"
)

// The ops that send and read messages.
const (
	MsgSend   ops.Call[request.SendMessage, wire.Sent]           = "msg.send"
	MsgList   ops.Call[request.ListMessages, wire.MessageList]   = "msg.list"
	MsgFind   ops.Call[request.FindMessages, wire.FoundMessages] = "msg.find"
	MsgGet    ops.Call[request.Message, wire.Message]            = "msg.get"
	MsgRanges ops.Call[request.MessageRanges, wire.RangeAnswers] = "msg.ranges"
)

const (
	messagesPath = convPath + "/message"
	messagePath  = messagesPath + "/{msg_id}"
)

func messageOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.RowOfBatch(MsgSend, ops.Op{
			Method: "POST", Path: messagesPath, Need: skein.NeedMember, Policy: ops.Policy{Messages: 1}, Codes: []int{211, 212, 4001, 4011, 4012, 4013, 4015, 4016, 4406},
			Doc: ops.Doc{
				EN: "Sends a message. The server answers once the message is durable. The backend may send for any client of the app, member or not; this moves that client's read position only if mark_read is 1. On a socket, once the server refuses a send with 4290, it refuses later sends to the same conversation as well, for a second or until the refused message is sent again with its client_msg_id. So no later message precedes an earlier one. Other conversations are not affected.",
				ZH: "发送消息，持久化后返回。服务端可以代表应用内任何用户发送，无论其是否为成员；仅当 mark_read 为 1 时移动该用户的已读位置。在同一连接上，某条发送因 4290 被拒绝后，之后发往同一会话的消息在一秒内、或在以相同 client_msg_id 重发该消息之前，也会被拒绝，因此后发的消息不会排在先发的之前。其他会话不受影响。",
			},
		}, func(in request.SendMessage) strict.ID { return in.ConvID }, draftOf,
			func(ctx context.Context, by skein.Actor, drafts []skein.Draft) []ops.Result[wire.Sent] {
				sent := d.Chat.Send(ctx, by, drafts)
				results := make([]ops.Result[wire.Sent], len(sent))
				for i := range sent {
					results[i] = ops.Result[wire.Sent]{Answer: wire.SentOf(&sent[i].Message), Err: sent[i].Err}
				}
				return results
			}, func() (string, wire.Sent) {
				m := hello()
				return convField + `,"from_client":"Tom","type":-1,"text":"HELLO !","client_msg_id":"a1"}`, wire.SentOf(&m)
			}),
		ops.Row(MsgList, ops.Op{
			Method: "GET", Path: messagesPath, Need: skein.NeedMember, Codes: []int{4011, 4406},
			Doc: ops.Doc{
				EN: "Returns the history of a conversation. Without after_seq and before_seq: a page, newest first, with current_page, last_page, per_page and total. With one of them: the messages after or before that seq, about 1 MiB at most, with has_more.",
				ZH: "查询会话的历史消息。不带 after_seq 与 before_seq 时按页返回，从新到旧，含 current_page、last_page、per_page、total；带其中之一时返回该 seq 之后或之前的消息，一次最多约 1 MiB，含 has_more。",
			},
		}, d.listMessages, func() (string, wire.MessageList) {
			return convField + `,"page":1,"size":10}`, wire.NewMessagePage(firstPage(10), []skein.Message{reply(), hello()}, 2)
		}),
		ops.Row(MsgFind, ops.Op{
			Method: "GET", Path: convPath + "/search", Need: skein.NeedMember, Policy: ops.Policy{Messages: 1}, Codes: []int{212, 4011, 4406},
			Doc: ops.Doc{
				EN: "Finds messages of a conversation by sender, type and time; a message must meet all conditions that are set. A call examines at most 10,000 messages: follow next_seq until it is null. Recalled and deleted messages are found too and look as in msg.list. The call counts against the client's send rate, the more so the more messages it examines. If the server's clock was set back by more than two days, since and until may miss messages of that time.",
				ZH: "按发送者、类型与时间查找会话中的消息，须同时满足所有给出的条件。每次调用最多检查 10000 条消息：请沿 next_seq 继续，直到其为 null。已撤回或删除的消息同样会被找到，形式与 msg.list 相同。此调用计入用户的发送频率，检查的消息越多计入越多。如果服务器时钟曾回拨超过两天，since 与 until 可能遗漏那段时间的消息。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.FindMessages) (wire.FoundMessages, error) {
			conv, err := request.ConvID(in.ConvID)
			if err != nil {
				return wire.FoundMessages{}, err
			}
			q, err := in.Query()
			if err != nil {
				return wire.FoundMessages{}, err
			}
			found, err := d.Chat.Find(ctx, by, conv, q)
			d.Gate.Debit(by, found.Looked/looksAMessage)
			return wire.NewFoundMessages(found), err
		}, func() (string, wire.FoundMessages) {
			return convField + `,"from_client":"Tom","types":[-1],"since":` + strconv.FormatInt(int64(hello().Created), 10) + `,"limit":20}`,
				wire.NewFoundMessages(skein.FoundMessages{Messages: []skein.Message{hello()}})
		}),
		ops.Row(MsgGet, ops.Op{
			Method: "GET", Path: messagePath, Need: skein.NeedMember, Codes: []int{4011, 4012},
			Doc: ops.Doc{EN: "Returns one message.", ZH: "查询单条消息。"},
		}, func(ctx context.Context, by skein.Actor, in request.Message) (wire.Message, error) {
			conv, id, err := messageOf(in)
			if err != nil {
				return wire.Message{}, err
			}
			m, err := d.Chat.Message(ctx, by, conv, id)
			return wire.MessageOf(&m), err
		}, func() (string, wire.Message) {
			m := hello()
			return messageField + `}`, wire.MessageOf(&m)
		}),
	}
}

// ExampleBySeq is an answer of msg.list by seq; the example of the row is a page.
func ExampleBySeq() wire.MessageList {
	return wire.NewMessageSpan([]skein.Message{reply(), hello()}, false)
}

// draftOf checks a request. By socket a message without no_sync goes to the sender's
// other devices, by REST to none of them.
func draftOf(by skein.Actor, in request.SendMessage) (d skein.Draft, err error) {
	if d.Sender, err = oneself(by, "from_client", in.FromClient); err != nil {
		return d, err
	}
	if d.Conv, err = request.ConvID(in.ConvID); err != nil {
		return d, err
	}
	if d.Body, err = in.Body(by.App.Settings.RelaxedClientIDs); err != nil {
		return d, err
	}
	d.ClientMsgID, d.Device, d.MarkRead = string(in.ClientMsgID), string(in.DeviceID), bool(in.MarkRead)
	if in.NoSync == nil && by.Session != "" {
		d.NoSync = true
		if d.Device == "" {
			d.Device = by.Device
		}
	}
	return d, nil
}

func (d Deps) listMessages(ctx context.Context, by skein.Actor, in request.ListMessages) (out wire.MessageList, err error) {
	conv, err := request.ConvID(in.ConvID)
	if err != nil {
		return out, err
	}
	bySeq, span, err := in.BySeq()
	if err != nil {
		return out, err
	}
	if bySeq {
		messages, more, err := d.Chat.Span(ctx, by, conv, span)
		return wire.NewMessageSpan(messages, more), err
	}
	paging, err := in.ByPage()
	if err != nil {
		return out, err
	}
	messages, total, err := d.Chat.Page(ctx, by, conv, paging.Page, paging.Size)
	return wire.NewMessagePage(paging, messages, total), err
}

// rangesOp is msg.ranges. It comes after changes in the reference.
func rangesOp(d Deps) *ops.Op {
	return ops.Row(MsgRanges, ops.Op{
		Method: "POST", Path: "/im/messages/ranges", Need: skein.NeedSelf, Codes: []int{211, 212, 4001, 4406},
		Doc: ops.Doc{
			EN: "Returns what is new in many conversations: for each the messages after a seq and the changes after a change_seq. A call returns at most 2,000 messages and changes and about 1 MiB in all; for the conversations beyond that it returns none, with has_more and more_changes set.",
			ZH: "一次获取多个会话的新内容：各会话某 seq 之后的消息与某 change_seq 之后的变更。一次总计最多 2000 条消息与变更、约 1 MiB；超出部分的会话不返回内容，并以 has_more、more_changes 标明。",
		},
	}, d.messageRanges, func() (string, wire.RangeAnswers) {
		c := wire.RangeContent{LastSeq: 2}
		c.FillMessages([]skein.Message{reply()}, false)
		c.FillChanges(idOf(ExampleConv), []skein.Change{like()}, false, 2)
		return `{"ranges":[{"conv_id":"` + ExampleConv + `","after_seq":1,"after_change":1},{"conv_id":"` + roomID + `","after_seq":0}],"client_id":"Tom"}`,
			wire.RangeAnswers{
				wire.NewRangeAnswer(idOf(ExampleConv), c),
				wire.NewRangeRefusal(roomID, skein.ErrUnknownConversation, wire.Chinese),
			}
	})
}

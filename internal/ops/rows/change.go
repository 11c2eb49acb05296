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

// The ops that change messages and read the changes. Those whose effect everybody is told
// of count as a send.
const (
	MsgEdit   ops.Call[request.EditMessage, wire.Message]   = "msg.edit"
	MsgReact  ops.Call[request.ReactMessage, wire.Message]  = "msg.react"
	MsgPin    ops.Call[request.PinMessage, ops.Done]        = "msg.pin"
	MsgPins   ops.Call[request.Conversation, wire.Messages] = "msg.pins"
	MsgDelete ops.Call[request.HideMessage, ops.Done]       = "msg.delete"
	MsgRecall ops.Call[request.Message, ops.Done]           = "msg.recall"
	Changes   ops.Call[request.ListChanges, wire.Changes]   = "changes"
)

func changeOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(MsgEdit, ops.Op{
			Method: "PUT", Path: messagePath, Need: skein.NeedMember, Policy: ops.Policy{Messages: 1}, Codes: []int{212, 4001, 4011, 4012, 4013, 4015, 4016, 4130, 4406},
			Doc: ops.Doc{
				EN: "Edits the text, attr or mentions of a message: the sender within the app's edit window, the backend at any time. For members who have not read the message, the edited mentions count. An edit that changes nothing succeeds and makes no change.",
				ZH: "编辑消息的文本、扩展或 @。发送者须在应用的编辑时限内，服务端不限。对尚未读该消息的成员，mentions 按编辑后的 @ 计算。内容没有变化的编辑视为成功，不产生变更。",
			},
		}, d.editMessage, func() (string, wire.Message) {
			m := edited()
			return messageField + `,"text":"HELLO, Jerry!","expected_version":1}`, wire.MessageOf(&m)
		}),
		ops.Row(MsgReact, ops.Op{
			Method: "POST", Path: messagePath + "/reactions", Need: skein.NeedMember, Policy: ops.Policy{Messages: 1}, Codes: []int{211, 212, 4001, 4011, 4012, 4013, 4130, 4406},
			Doc: ops.Doc{
				EN: "Adds or removes a client's reaction to a message. A message has at most 20 different emoji.",
				ZH: "添加或取消用户对消息的表情回应。每条消息最多 20 种表情。",
			},
		}, d.reactMessage, func() (string, wire.Message) {
			m := liked()
			return messageField + `,"emoji":"👍","on":1,"client_id":"Jerry"}`, wire.MessageOf(&m)
		}),
		ops.Row(MsgPin, ops.Op{
			Method: "POST", Path: messagePath + "/pin", Need: skein.NeedManager, Policy: ops.Policy{Messages: 1}, Codes: []int{4011, 4012, 4013, 4130, 4406},
			Doc: ops.Doc{
				EN: "Pins a message for everyone, or unpins it. In a private conversation either member may. A conversation has at most 100 pinned messages.",
				ZH: "为所有人置顶消息，或取消置顶。私聊双方均可操作。每个会话最多置顶 100 条。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.PinMessage) (ops.Done, error) {
			return withMessage(in.Message, func(conv, id skein.ID) error {
				return d.Chat.Pin(ctx, by, conv, id, request.Wanted(in.On))
			})
		}, func() (string, ops.Done) { return messageField + `,"on":1}`, ops.Done{} }),
		ops.Row(MsgPins, ops.Op{
			Method: "GET", Path: convPath + "/pins", Need: skein.NeedMember, Codes: []int{4011},
			Doc: ops.Doc{EN: "Lists the pinned messages, the newest pin first.", ZH: "列出置顶消息，最近置顶的在前。"},
		}, func(ctx context.Context, by skein.Actor, in request.Conversation) (wire.Messages, error) {
			id, err := request.ConvID(in.ConvID)
			if err != nil {
				return nil, err
			}
			pins, err := d.Chat.Pins(ctx, by, id)
			return wire.NewMessages(pins), err
		}, func() (string, wire.Messages) {
			m := liked()
			m.Changed, m.Pinned = 3, changed
			return convField + `}`, wire.NewMessages([]skein.Message{m})
		}),
		ops.Row(MsgDelete, ops.Op{
			Method: "DELETE", Path: messagePath, Need: skein.NeedMember, Codes: []int{211, 212, 4001, 4011, 4012},
			Doc: ops.Doc{
				EN: "Deletes a message for one client alone; the others still see it.",
				ZH: "仅为某个用户自己删除消息，其他成员仍可看到。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.HideMessage) (ops.Done, error) {
			by, err := actingFor(by, in.ClientID)
			if err != nil {
				return ops.Done{}, err
			}
			return withMessage(in.Message, func(conv, id skein.ID) error { return d.Chat.Hide(ctx, by, conv, id) })
		}, func() (string, ops.Done) { return messageField + `,"client_id":"Jerry"}`, ops.Done{} }),
		ops.Row(MsgRecall, ops.Op{
			Method: "POST", Path: messagePath + "/recall", Need: skein.NeedMember, Policy: ops.Policy{Messages: 1}, Codes: []int{4011, 4012},
			Doc: ops.Doc{
				EN: "Recalls a message for everyone. The server erases text, attr, url, mentions and reactions for good, and the uploaded files that nothing else names (see file.upload); the message keeps its seq. The sender may recall within the app's recall window; the owner, admins and the backend at any time.",
				ZH: "为所有人撤回消息。文本、扩展、资源地址、@ 与表情回应被永久擦除，不再被其他内容提到的上传文件一并删除（见 file.upload）；消息的 seq 保留。发送者须在应用的撤回时限内；所有者、管理员与服务端不限。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.Message) (ops.Done, error) {
			return withMessage(in, func(conv, id skein.ID) error { return d.Chat.Recall(ctx, by, conv, id) })
		}, func() (string, ops.Done) { return messageField + `}`, ops.Done{} }),
		ops.Row(Changes, ops.Op{
			Method: "GET", Path: convPath + "/changes", Need: skein.NeedMember, Codes: []int{4011, 4406},
			Doc: ops.Doc{
				EN: "Returns the changes to messages after a change_seq, oldest first, without gaps: the same that online members received as msg.updated. A call returns about 1 MiB at most; has_more says whether more follow.",
				ZH: "返回某 change_seq 之后的消息变更，从旧到新且连续，内容与在线成员收到的 msg.updated 相同。一次最多约 1 MiB，has_more 表示之后是否还有。",
			},
		}, d.listChanges, func() (string, wire.Changes) {
			return convField + `,"after_change":0,"limit":50}`, wire.NewChanges(idOf(ExampleConv), []skein.Change{edit(), like()}, false, 2)
		}),
		rangesOp(d),
	}
}

func (d Deps) editMessage(ctx context.Context, by skein.Actor, in request.EditMessage) (out wire.Message, err error) {
	conv, id, err := messageOf(in.Message)
	if err != nil {
		return out, err
	}
	edit, err := in.Edit(by.App.Settings.RelaxedClientIDs)
	if err != nil {
		return out, err
	}
	m, err := d.Chat.Edit(ctx, by, conv, id, chat.Editing(edit))
	return wire.MessageOf(&m), err
}

func (d Deps) reactMessage(ctx context.Context, by skein.Actor, in request.ReactMessage) (out wire.Message, err error) {
	if by, err = actingFor(by, in.ClientID); err != nil {
		return out, err
	}
	conv, id, err := messageOf(in.Message)
	if err != nil {
		return out, err
	}
	m, err := d.Chat.React(ctx, by, conv, id, in.Emoji, request.Wanted(in.On))
	return wire.MessageOf(&m), err
}

func (d Deps) listChanges(ctx context.Context, by skein.Actor, in request.ListChanges) (out wire.Changes, err error) {
	conv, err := request.ConvID(in.ConvID)
	if err != nil {
		return out, err
	}
	after, limit, err := in.Bounds()
	if err != nil {
		return out, err
	}
	page, err := d.Chat.Changes(ctx, by, conv, after, limit)
	return wire.NewChanges(conv, page.Changes, page.More, page.Last), err
}

func (d Deps) messageRanges(ctx context.Context, by skein.Actor, in request.MessageRanges) (wire.RangeAnswers, error) {
	by, err := actingFor(by, in.ClientID)
	if err != nil {
		return nil, err
	}
	if err := in.Check(); err != nil {
		return nil, err
	}
	asked := make([]chat.Range, len(in.Ranges))
	for i, r := range in.Ranges {
		asked[i] = chat.Range{AfterSeq: r.AfterSeq, AfterChange: r.AfterChange, Limit: r.Most()}
		asked[i].Conv, _ = skein.ParseID(string(r.ConvID)) // an invalid id names no conversation, as zero does
	}
	results, err := d.Chat.Ranges(ctx, by, asked)
	if err != nil {
		return nil, err
	}
	answers := make(wire.RangeAnswers, len(results))
	for i, r := range results {
		answers[i] = rangeAnswer(in.Ranges[i].ConvID, asked[i].Conv, r, langOf(by))
	}
	return answers, nil
}

func rangeAnswer(asked strict.ID, conv skein.ID, r chat.RangeResult, lang wire.Lang) wire.RangeAnswer {
	if r.Err != nil {
		return wire.NewRangeRefusal(asked, r.Err, lang)
	}
	c := wire.RangeContent{LastSeq: r.LastSeq, FloorSeq: r.Floor}
	c.FillMessages(r.Messages, r.More)
	c.FillChanges(conv, r.Changes.Changes, r.Changes.More, r.Changes.Last)
	return wire.NewRangeAnswer(conv, c)
}

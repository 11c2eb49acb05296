package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
	"github.com/skein-im/skein/internal/wire/strict"
)

// messagePath is where one message is.
const messagePath = "/im/conversations/{conv_id}/message/{msg_id}"

// changeOps are what becomes of messages. What everybody is told counts as a send.
func changeOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "msg.edit", Method: "PUT", Path: messagePath, Need: skein.NeedMember, CountsAsSend: true,
			Doc: Doc{
				"Alters text, attr or mentions: the sender within the app's edit window, the backend always. Who has not read the message yet counts it among its mentions as it is now. An edit to what it says already changes nothing and succeeds.",
				"编辑文本、扩展或 @：发送者须在应用的编辑时限内，服务端不限。未读该消息的成员，其 mentions 计数随之变化。内容未变的编辑视为成功且不产生变更。",
			},
			Answer: wire.Message{},
		}, func(ctx context.Context, by skein.Actor, in request.EditMessage) (any, error) {
			return editMessage(ctx, by, in, d.Chat)
		}),
		row(Op{
			Name: "msg.react", Method: "POST", Path: messagePath + "/reactions", Need: skein.NeedMember, CountsAsSend: true,
			Doc: Doc{
				"Adds or removes the caller's emoji under a message. A message has at most 20 different ones.",
				"添加或取消本人对消息的表情回应，每条消息最多 20 种。",
			},
			Answer: wire.Message{},
		}, func(ctx context.Context, by skein.Actor, in request.ReactMessage) (any, error) {
			return reactMessage(ctx, by, in, d.Chat)
		}),
		row(Op{
			Name: "msg.pin", Method: "POST", Path: messagePath + "/pin", Need: skein.NeedManager, CountsAsSend: true,
			Doc: Doc{
				"Pins a message for everyone, or takes the pin away. In a private pair either may. At most 100 a conversation.",
				"为所有人置顶消息或取消置顶；私聊双方均可。每个会话最多 100 条。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.PinMessage) (any, error) {
			return withMessage(in.Message, func(conv, id skein.ID) error {
				return d.Chat.Pin(ctx, by, conv, id, request.Wanted(in.On))
			})
		}),
		row(Op{
			Name: "msg.pins", Method: "GET", Path: "/im/conversations/{conv_id}/pins", Need: skein.NeedMember,
			Doc:    Doc{"The pinned messages, the newest pin first.", "置顶消息列表，最近置顶的在前。"},
			Answer: wire.Messages{},
		}, func(ctx context.Context, by skein.Actor, in request.Conversation) (any, error) {
			id, err := request.ConvID(in.ConvID)
			if err != nil {
				return nil, err
			}
			pins, err := d.Chat.Pins(ctx, by, id)
			return wire.NewMessages(pins), err
		}),
		row(Op{
			Name: "msg.delete", Method: "DELETE", Path: messagePath, Need: skein.NeedMember,
			Doc: Doc{
				"Deletes a message for oneself alone: to the others it stays as it is.",
				"仅为自己删除消息，其他成员不受影响。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.HideMessage) (any, error) {
			by, err := actingFor(by, in.ClientID)
			if err != nil {
				return nil, err
			}
			return withMessage(in.Message, func(conv, id skein.ID) error { return d.Chat.Hide(ctx, by, conv, id) })
		}),
		row(Op{
			Name: "msg.recall", Method: "POST", Path: messagePath + "/recall", Need: skein.NeedMember, CountsAsSend: true,
			Doc: Doc{
				"Takes a message back for everyone: text, attr, url, mentions and reactions are erased for good, with the files that nothing else names (file.upload), its seq stays. The sender within the app's recall window; owner, admins and the backend always.",
				"为所有人撤回消息：文本、扩展、资源地址、@、回应永久擦除，不再被其他内容提到的文件一并删除（见 file.upload），seq 保留。发送者须在应用的撤回时限内；所有者、管理员与服务端不限。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.Message) (any, error) {
			return withMessage(in, func(conv, id skein.ID) error { return d.Chat.Recall(ctx, by, conv, id) })
		}),
		row(Op{
			Name: "changes", Method: "GET", Path: "/im/conversations/{conv_id}/changes", Need: skein.NeedMember,
			Doc: Doc{
				"What became of messages after a change_seq, oldest first, without gaps: the same that online members got as msg.updated. About 1 MiB at the most; has_more says that more follow.",
				"某 change_seq 之后的消息变更，从旧到新且连续；即在线时 msg.updated 所推送的内容。一次最多约 1 MiB，has_more 表示之后还有。",
			},
			Answer: wire.Changes{},
		}, func(ctx context.Context, by skein.Actor, in request.ListChanges) (any, error) {
			return listChanges(ctx, by, in, d.Chat)
		}),
		row(Op{
			Name: "msg.ranges", Method: "POST", Path: "/im/messages/ranges", Need: skein.NeedSelf,
			Doc: Doc{
				"What is new in many conversations: for each the messages after a seq and the changes after a change_seq. At most 2,000 items and about 1 MiB in all; the conversations beyond that come empty, with has_more and more_changes.",
				"一次获取多个会话的新内容：各自 seq 之后的消息与 change_seq 之后的变更。总计最多 2000 条、约 1 MiB，超出部分为空并以 has_more、more_changes 标明。",
			},
			Answer: wire.RangeAnswers{},
		}, func(ctx context.Context, by skein.Actor, in request.MessageRanges) (any, error) {
			return messageRanges(ctx, by, in, d.Chat)
		}),
	}
}

// actingFor is the caller as the client it acts for, with that client's rights: the
// backend names one, a client is itself.
func actingFor(by skein.Actor, named strict.ID) (skein.Actor, error) {
	client, err := oneself(by, "client_id", named)
	if by.Server() {
		by.Device, by.Session = "", ""
	}
	by.Client, by.Need = client, skein.NeedMember
	return by, err
}

// messageOf is the ids of a message.
func messageOf(in request.Message) (conv, id skein.ID, err error) {
	if conv, err = request.ConvID(in.ConvID); err != nil {
		return conv, id, err
	}
	id, err = request.MsgID(in.MsgID)
	return conv, id, err
}

// withMessage runs what needs a message alone.
func withMessage(in request.Message, do func(conv, id skein.ID) error) (any, error) {
	conv, id, err := messageOf(in)
	if err != nil {
		return nil, err
	}
	return done(do(conv, id))
}

func editMessage(ctx context.Context, by skein.Actor, in request.EditMessage, s *chat.Service) (any, error) {
	conv, id, err := messageOf(in.Message)
	if err != nil {
		return nil, err
	}
	edit, err := in.Edit(by.App.Settings.RelaxedClientIDs)
	if err != nil {
		return nil, err
	}
	m, err := s.Edit(ctx, by, conv, id, chat.Editing(edit))
	return wire.MessageOf(&m), err
}

func reactMessage(ctx context.Context, by skein.Actor, in request.ReactMessage, s *chat.Service) (any, error) {
	by, err := actingFor(by, in.ClientID)
	if err != nil {
		return nil, err
	}
	conv, id, err := messageOf(in.Message)
	if err != nil {
		return nil, err
	}
	m, err := s.React(ctx, by, conv, id, in.Emoji, request.Wanted(in.On))
	return wire.MessageOf(&m), err
}

func listChanges(ctx context.Context, by skein.Actor, in request.ListChanges, s *chat.Service) (any, error) {
	conv, err := request.ConvID(in.ConvID)
	if err != nil {
		return nil, err
	}
	after, limit, err := in.Bounds()
	if err != nil {
		return nil, err
	}
	page, err := s.Changes(ctx, by, conv, after, limit)
	return wire.NewChanges(conv, page.Changes, page.More, page.Last), err
}

func messageRanges(ctx context.Context, by skein.Actor, in request.MessageRanges, s *chat.Service) (any, error) {
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
		asked[i].Conv, _ = skein.ParseID(string(r.ConvID)) // what is no id names nothing, as zero does
	}
	results, err := s.Ranges(ctx, by, asked)
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

// langOf is the language in which the caller reads texts.
func langOf(by skein.Actor) wire.Lang {
	if by.English {
		return wire.English
	}
	return wire.Chinese
}

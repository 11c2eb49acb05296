package rows

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

// The ops on conversations.
const (
	ConvCreate ops.Call[request.CreateConversation, wire.CreatedConversation]     = "conv.create"
	ConvQuery  ops.Call[request.QueryConversations, wire.Page[wire.Conversation]] = "conv.query"
	ConvUpdate ops.Call[request.UpdateConversations, ops.Done]                    = "conv.update"
	ConvGet    ops.Call[request.Conversation, wire.Conversation]                  = "conv.get"
	ConvJoin   ops.Call[request.JoinConversation, ops.Done]                       = "conv.join"
	ConvLeave  ops.Call[request.JoinConversation, ops.Done]                       = "conv.leave"
	ConvDelete ops.Call[request.Conversation, ops.Done]                           = "conv.delete"
)

const (
	convsPath = "/im/conversations"
	convPath  = convsPath + "/{conv_id}"
)

func convOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(ConvCreate, ops.Op{
			Method: "POST", Path: convsPath, Need: skein.NeedClient, Policy: ops.Policy{Messages: 1}, Codes: []int{211, 212, 4001, 4015, 4016, 4130, 4405, 4406},
			Doc: ops.Doc{
				EN: "Creates a conversation. Two clients have one private conversation: if it exists, the call returns it. The other members are added by the rules of conv.members.add, all or none; if one of them does not let itself be added, the call fails with 4004.",
				ZH: "创建会话。两个用户之间只有一个私聊会话，已存在时直接返回。其他成员按 conv.members.add 的规则添加，要么全部加入，要么都不加入；有用户不允许被添加时返回 4004。",
			},
		}, d.createConversation, func() (string, wire.CreatedConversation) {
			return `{"client_id":"Tom","to_client_ids":["Jerry","Alex"],"conv_type":3,"conv_extend":{"conv_name":"just test"}}`,
				wire.CreatedConversation{ConvExtend: jsontext.Value(`{"conv_name":"just test"}`), ConvID: idOf(ExampleConv)}
		}),
		ops.Row(ConvQuery, ops.Op{
			Method: "GET", Path: convsPath, Need: skein.NeedClient, Policy: ops.Policy{PostWith: "where"}, Codes: []int{4001, 4406},
			Doc: ops.Doc{
				EN: "Finds the conversations that match a where, newest activity first. A client finds only conversations that it is in. A query that takes the server longer than one second fails with 4290: use fewer or simpler conditions. Following next_cursor to the end returns every conversation that matches throughout, even while new activity reorders them; a conversation that moved may appear again at the end.",
				ZH: "按条件查询会话，最近活跃的在前。客户端只能查到自己所在的会话。查询耗时超过 1 秒时返回 4290，请减少或简化条件。用 next_cursor 翻到末尾，不会遗漏始终符合条件的会话；翻页期间有新动态的会话可能在末尾再次出现。",
			},
		}, d.queryConversations, func() (string, wire.Page[wire.Conversation]) {
			return `{"where":[["conv_id","=","` + ExampleConv + `"]],"page":1,"size":20}`,
				wire.NewPage(firstPage(20), []wire.Conversation{wire.ConversationOf(talk(), time.UTC)}, 1, skein.Cursor{})
		}),
		ops.Row(ConvUpdate, ops.Op{
			Method: "PUT", Path: convsPath, Need: skein.NeedManager, Policy: ops.Policy{Messages: 1}, Codes: []int{4001, 4011, 4015, 4406},
			Doc: ops.Doc{
				EN: "Replaces conv_extend of every conversation that matches. A client must be owner or admin of each. The server updates the conversations in batches: if the call fails, some may have been updated; repeat the same call.",
				ZH: "替换所有匹配会话的 conv_extend。客户端须为其中每个会话的所有者或管理员。服务端分批更新：调用失败时部分会话可能已经更新，请用相同参数重试。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.UpdateConversations) (ops.Done, error) {
			where, err := request.ParseWhere(in.Where, d.Zone)
			if err != nil {
				return ops.Done{}, err
			}
			extend, err := in.Extend()
			if err != nil {
				return ops.Done{}, err
			}
			n, err := d.Chat.UpdateConversations(ctx, by, where, extend)
			d.Gate.Debit(by, n/updatesAMessage)
			return ops.Done{}, err
		}, func() (string, ops.Done) {
			return `{"where":[["conv_id","=","` + ExampleConv + `"]],"update":{"conv_extend":{"conv_name":"test2"}}}`, ops.Done{}
		}),
		ops.Row(ConvGet, ops.Op{
			Method: "GET", Path: convPath, Need: skein.NeedMember, Codes: []int{4011},
			Doc: ops.Doc{EN: "Returns one conversation.", ZH: "查询单个会话。"},
		}, func(ctx context.Context, by skein.Actor, in request.Conversation) (wire.Conversation, error) {
			id, err := request.ConvID(in.ConvID)
			if err != nil {
				return wire.Conversation{}, err
			}
			conv, err := d.Chat.Conversation(ctx, by, id)
			return wire.ConversationOf(conv, d.Zone), err
		}, func() (string, wire.Conversation) { return convField + `}`, wire.ConversationOf(talk(), time.UTC) }),
		ops.Row(ConvJoin, ops.Op{
			Method: "POST", Path: convPath + "/join", Need: skein.NeedClient, Policy: ops.Policy{Messages: 1}, Codes: []int{211, 212, 4001, 4011, 4016, 4405},
			Doc: ops.Doc{
				EN: "Joins a chat room. A client that was removed from the room cannot join by itself (4004); see conv.members.remove.",
				ZH: "加入聊天室。被移出聊天室的用户不能自行加入（4004），见 conv.members.remove。",
			},
			Before: `{"client_id":"Tom","to_client_ids":[],"conv_type":4}`,
		}, joinOrLeave(d.Chat.Join), func() (string, ops.Done) {
			return `{"conv_id":"` + roomID + `","client_id":"Iron"}`, ops.Done{}
		}),
		ops.Row(ConvLeave, ops.Op{
			Method: "POST", Path: convPath + "/leave", Need: skein.NeedMember, Policy: ops.Policy{Messages: 1}, Codes: []int{212, 4001, 4011, 4405},
			Doc: ops.Doc{EN: "Leaves a conversation.", ZH: "退出会话。"},
		}, joinOrLeave(d.Chat.Leave), func() (string, ops.Done) {
			return `{"conv_id":"` + roomID + `","client_id":"Iron"}`, ops.Done{}
		}),
		ops.Row(ConvDelete, ops.Op{
			Method: "DELETE", Path: convPath, Need: skein.NeedManager, Policy: ops.Policy{Messages: 1}, Codes: []int{4011},
			Doc: ops.Doc{
				EN: "Deletes a conversation and its messages for everyone, and the uploaded files that nothing else names (see file.upload). The members receive conv.deleted.",
				ZH: "为所有人删除会话及其消息，并删除不再被其他内容提到的上传文件（见 file.upload）。成员会收到 conv.deleted。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.Conversation) (ops.Done, error) {
			return withConv(in.ConvID, func(id skein.ID) error { return d.Chat.DeleteConversation(ctx, by, id) })
		}, func() (string, ops.Done) { return `{"conv_id":"` + roomID + `"}`, ops.Done{} }),
	}
}

func (d Deps) createConversation(ctx context.Context, by skein.Actor, in request.CreateConversation) (out wire.CreatedConversation, err error) {
	creator, err := oneself(by, "client_id", in.ClientID)
	if err != nil {
		return out, err
	}
	draft, err := in.Draft()
	if err != nil {
		return out, err
	}
	if in.ClientConvID != "" && draft.Type != skein.Private { // a pair has one conversation anyway
		draft.ID = skein.NamedID(by.App.ID, creator, string(in.ClientConvID))
	}
	others, err := request.ClientIDs("to_client_ids", in.ToClientIDs, skein.MaxMembersPerCall, by.App.Settings.RelaxedClientIDs)
	if err != nil {
		return out, err
	}
	if err := charge(d, by, len(others), membersAMessage); err != nil {
		return out, err
	}
	conv, err := d.Chat.CreateConversation(ctx, by, creator, others, draft)
	return wire.CreatedConversation{ConvExtend: conv.Extend, ConvID: conv.ID}, err
}

func (d Deps) queryConversations(ctx context.Context, by skein.Actor, in request.QueryConversations) (out wire.Page[wire.Conversation], err error) {
	paging, err := in.Parse(request.ConvPageSize, d.seal(by, string(ConvQuery)))
	if err != nil {
		return out, err
	}
	q := skein.ConvQuery{Offset: paging.Offset(), Limit: paging.Size, After: paging.After, Count: true}
	if q.ByCreation, err = in.ByCreation(); err != nil {
		return out, err
	}
	where, asked, err := in.Conditions(d.Zone)
	switch {
	case err != nil:
		return out, err
	case !asked && by.Server():
		return out, skein.Missing("where")
	}
	q.Where = where
	page, err := d.Chat.FindConversations(ctx, by, q)
	items := each(page.Conversations, func(c skein.Conversation) wire.Conversation { return wire.ConversationOf(c, d.Zone) })
	return wire.NewPage(paging, items, page.Total, page.Next), err
}

func joinOrLeave(do func(context.Context, skein.Actor, skein.ID, string) error) func(context.Context, skein.Actor, request.JoinConversation) (ops.Done, error) {
	return func(ctx context.Context, by skein.Actor, in request.JoinConversation) (ops.Done, error) {
		client, err := oneself(by, "client_id", in.ClientID)
		if err != nil {
			return ops.Done{}, err
		}
		return withConv(in.ConvID, func(id skein.ID) error { return do(ctx, by, id, client) })
	}
}

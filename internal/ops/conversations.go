package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
	"github.com/skein-im/skein/internal/wire/strict"
)

func convOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "conv.create", Method: "POST", Path: "/im/conversations", Need: skein.NeedClient, CountsAsSend: true,
			Doc: Doc{
				"Creates a conversation. The same two clients always get the same private one. The others are added as by conv.members.add: all or none, and a client that refuses to be added makes the call fail (4004).",
				"创建会话。相同两人的私聊始终是同一个会话。其他成员的添加规则同 conv.members.add。",
			},
			Answer: wire.CreatedConversation{},
		}, func(ctx context.Context, by skein.Actor, in request.CreateConversation) (any, error) {
			creator, err := oneself(by, "client_id", in.ClientID)
			if err != nil {
				return nil, err
			}
			draft, err := in.Draft()
			if err != nil {
				return nil, err
			}
			if in.ClientConvID != "" && draft.Type != skein.Private { // a pair has one conversation anyway
				draft.ID = skein.NamedID(by.App.ID, creator, string(in.ClientConvID))
			}
			others, err := request.ClientIDs("to_client_ids", in.ToClientIDs, skein.MaxMembersPerCall, by.App.Settings.RelaxedClientIDs)
			if err != nil {
				return nil, err
			}
			if err := chargeMembers(d, by, len(others)); err != nil {
				return nil, err
			}
			conv, err := d.Chat.CreateConversation(ctx, by, creator, others, draft)
			return wire.CreatedConversation{ConvExtend: conv.Extend, ConvID: conv.ID}, err
		}),
		row(Op{
			Name: "conv.query", Method: "GET", Path: "/im/conversations", Need: skein.NeedClient, QueryPost: true,
			Doc: Doc{
				"Finds conversations, newest activity first. A client sees its own. A query that takes the server more than a second ends with 4290: ask with fewer or simpler conditions. Following next_cursor to its end shows every conversation that matches all the time, even if new activity reorders them meanwhile; one that moved may come a second time, at the end.",
				"查询会话，按最近活跃排序。客户端只能看到自己的会话。查询耗时超过一秒则返回 4290，请减少或简化条件。用 next_cursor 翻到底不会漏掉任何会话；期间有变化的会话可能在末尾再次出现。",
			},
			Answer: wire.Page[wire.Conversation]{},
		}, func(ctx context.Context, by skein.Actor, in request.QueryConversations) (any, error) {
			return queryConversations(ctx, by, in, d)
		}),
		row(Op{
			Name: "conv.update", Method: "PUT", Path: "/im/conversations", Need: skein.NeedManager, CountsAsSend: true,
			Doc: Doc{
				"Replaces conv_extend of every conversation that matches; a client must be owner or admin of each. The conversations are updated in batches: after an error some may have changed; make the same call again.",
				"更新所有匹配会话的扩展；客户端须为每个会话的所有者或管理员。分批更新：出错时部分会话可能已更新，可用相同参数重试。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.UpdateConversations) (any, error) {
			where, err := request.ParseWhere(in.Where, d.Zone)
			if err != nil {
				return nil, err
			}
			extend, err := in.Extend()
			if err != nil {
				return nil, err
			}
			n, err := d.Chat.UpdateConversations(ctx, by, where, extend)
			d.Gate.Debit(by, n/updatesAMessage)
			return done(err)
		}),
		row(Op{
			Name: "conv.get", Method: "GET", Path: "/im/conversations/{conv_id}", Need: skein.NeedMember,
			Doc:    Doc{"One conversation.", "查询单个会话。"},
			Answer: wire.Conversation{},
		}, func(ctx context.Context, by skein.Actor, in request.Conversation) (any, error) {
			id, err := request.ConvID(in.ConvID)
			if err != nil {
				return nil, err
			}
			conv, err := d.Chat.Conversation(ctx, by, id)
			return wire.ConversationOf(conv, d.Zone), err
		}),
		row(Op{
			Name: "conv.join", Method: "POST", Path: "/im/conversations/{conv_id}/join", Need: skein.NeedClient, CountsAsSend: true,
			Doc: Doc{"Joins a chat room. A client that was removed from it may not (4004), see conv.members.remove.", "加入聊天室。被移出者不可自行加入（4004），见 conv.members.remove。"},
		}, joinOrLeave(d.Chat.Join)),
		row(Op{
			Name: "conv.leave", Method: "POST", Path: "/im/conversations/{conv_id}/leave", Need: skein.NeedMember, CountsAsSend: true,
			Doc: Doc{"Leaves a conversation.", "退出会话。"},
		}, joinOrLeave(d.Chat.Leave)),
		row(Op{
			Name: "conv.delete", Method: "DELETE", Path: "/im/conversations/{conv_id}", Need: skein.NeedManager, CountsAsSend: true,
			Doc: Doc{
				"Deletes a conversation and its messages for everyone, with the files that nothing else names (file.upload); its members are told.",
				"为所有人删除会话及其消息，以及不再被其他内容提到的文件（见 file.upload），并通知成员。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.Conversation) (any, error) {
			return withConv(in.ConvID, func(id skein.ID) error { return d.Chat.DeleteConversation(ctx, by, id) })
		}),
	}
}

func queryConversations(ctx context.Context, by skein.Actor, in request.QueryConversations, d Deps) (any, error) {
	place, err := in.Place(request.ConvPageSize, d.seal(by, "conv.query"))
	if err != nil {
		return nil, err
	}
	q := skein.ConvQuery{Offset: place.Offset(), Limit: place.Size, After: place.After, Count: true}
	if q.ByCreation, err = in.ByCreation(); err != nil {
		return nil, err
	}
	where, asked, err := in.Conditions(d.Zone)
	switch {
	case err != nil:
		return nil, err
	case !asked && by.Server():
		return nil, skein.Missing("where")
	}
	q.Where = where
	page, err := d.Chat.FindConversations(ctx, by, q)
	if err != nil {
		return nil, err
	}
	items := each(page.Conversations, func(c skein.Conversation) wire.Conversation { return wire.ConversationOf(c, d.Zone) })
	return wire.NewPage(place, items, page.Total, page.Next), nil
}

func joinOrLeave(do func(context.Context, skein.Actor, skein.ID, string) error) func(context.Context, skein.Actor, request.JoinConversation) (any, error) {
	return func(ctx context.Context, by skein.Actor, in request.JoinConversation) (any, error) {
		client, err := oneself(by, "client_id", in.ClientID)
		if err != nil {
			return nil, err
		}
		return withConv(in.ConvID, func(id skein.ID) error { return do(ctx, by, id, client) })
	}
}

// withConv runs what needs a conversation id alone.
func withConv(text strict.ID, do func(skein.ID) error) (any, error) {
	id, err := request.ConvID(text)
	if err != nil {
		return nil, err
	}
	return done(do(id))
}

package rows

import (
	"slices"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

// SocketPath is where sockets are accepted.
const SocketPath = "/im/socket"

// Which ops show what an event shows.
var (
	readsMessages      = []string{string(MsgList), string(MsgGet), string(MsgRanges), string(Changes)}
	readsConversations = []string{string(ConvGet), string(ConvList), string(ConvQuery), string(Sync)}
	readsMembers       = append([]string{string(MemberIDs)}, readsConversations...)
	readsPositions     = append([]string{string(ConvReaders), string(ConvRead)}, readsConversations...)
)

// Withheld are the events that a session does not get whose token is limited to some
// actions; with nil the token is not limited.
func Withheld(actions []string) skein.EventSet {
	if actions == nil {
		return 0
	}
	var withheld []string
	for _, e := range Events {
		allowed := func(op string) bool { return slices.Contains(actions, op) }
		if e.For != nil && !slices.ContainsFunc(e.For, allowed) {
			withheld = append(withheld, e.Name)
		}
	}
	return skein.EventSetOf(withheld...)
}

// Events are the pushes, in the order of the reference.
var Events = []ops.Event{
	{
		Name: skein.EventMessage, Data: wire.NewMessage{}, For: readsMessages,
		Doc: ops.Doc{
			EN: "A client sent a message to a conversation that you are in.",
			ZH: "所在会话有新消息。",
		},
		Example: func() []byte {
			return wire.AppendNewMessage(nil, &skein.Committed{Message: reply(), App: ExampleApp, ConvType: skein.Group})
		},
	},
	{
		Name: skein.EventMessageUpdated, Data: wire.Change{}, For: readsMessages,
		Doc: ops.Doc{
			EN: "A message was edited, recalled, reacted to, pinned or unpinned, or you deleted it for yourself. The changes arrive in the order of change_seq. A gap means that you missed changes or may not see them; fetch them with changes.",
			ZH: "消息被编辑、撤回、添加或取消表情回应、置顶或取消置顶，或被本人删除。按 change_seq 顺序推送；序号不连续表示有错过的或不可见的变更，可用 changes 获取。",
		},
		Example: func() []byte {
			change := like()
			return wire.AppendUpdate(nil, idOf(ExampleConv), &change)
		},
	},
	{
		Name: skein.EventConvCreated, Data: wire.Event{}, For: readsConversations,
		Doc: ops.Doc{EN: "A conversation was created with you as a member.", ZH: "创建了包含本人的会话。"},
		Example: notice(skein.EventConvCreated, func(n *skein.Notice) {
			conv := talk()
			n.Conversation = &conv
		}),
	},
	{
		Name: skein.EventConvUpdated, Data: wire.Event{}, For: readsConversations,
		Doc: ops.Doc{
			EN: "A conversation was updated: its extension, mute_all, or a member's role, nickname or mute. Your own devices also receive it when you change your marks on the conversation (conv.mark).",
			ZH: "会话发生变更：扩展、全员禁言，或成员的角色、昵称、禁言。本人用 conv.mark 修改对会话的标记时，本人的设备也会收到。",
		},
		Example: notice(skein.EventConvUpdated, func(n *skein.Notice) {
			conv := talk()
			n.Conversation = &conv
		}),
	},
	{
		Name: skein.EventConvDeleted, Data: wire.Event{}, For: readsConversations,
		Doc:     ops.Doc{EN: "A conversation was deleted.", ZH: "会话已被删除。"},
		Example: notice(skein.EventConvDeleted, func(*skein.Notice) {}),
	},
	{
		Name: skein.EventMembersAdded, Data: wire.Event{}, For: readsMembers,
		Doc:     ops.Doc{EN: "Clients were added to a conversation or joined it.", ZH: "有用户被添加到会话或加入会话。"},
		Example: notice(skein.EventMembersAdded, func(n *skein.Notice) { n.Clients = []string{"Iron"} }),
	},
	{
		Name: skein.EventMembersRemoved, Data: wire.Event{}, For: readsMembers,
		Doc:     ops.Doc{EN: "Clients left a conversation or were removed from it.", ZH: "有成员退出会话或被移出会话。"},
		Example: notice(skein.EventMembersRemoved, func(n *skein.Notice) { n.Clients = []string{"Iron"} }),
	},
	{
		Name: skein.EventRead, Data: wire.ReadEvent{}, For: readsPositions,
		Doc: ops.Doc{
			EN: "Members moved their read or received positions. A client that sends has read all earlier messages, and that is pushed too. Up to 200 members the server pushes at once; up to 2,000 it gathers positions for a second; in larger groups and in chat rooms it pushes them only to the client's own devices, and others call conv.readers. The session that moved the position does not receive the event: it has the answer.",
			ZH: "成员的已读或已接收位置发生变化。发送消息即视为已读此前的消息，同样会推送。200 人以内立即推送；2000 人以内合并一秒后推送；更大的群与聊天室只推送给本人的设备，其他人可用 conv.readers 查询。引起变化的连接不会收到此事件，以返回值为准。",
		},
		Example: notice(skein.EventRead, func(n *skein.Notice) {
			n.Positions = []skein.Position{{Client: "Jerry", Read: 2, Received: 2}}
		}),
	},
	{
		Name: skein.EventTyping, Data: wire.TypingEvent{}, For: []string{string(Typing)},
		Doc:     ops.Doc{EN: "Another member of a conversation started or stopped typing.", ZH: "会话中的其他成员开始或停止输入。"},
		Example: notice(skein.EventTyping, func(n *skein.Notice) { n.On = true }),
	},
	{
		Name: skein.EventPresence, Data: wire.PresenceEvent{}, For: []string{string(PresenceSubscribe)},
		Doc: ops.Doc{
			EN: "Clients that this session subscribed to came online or went offline. The server gathers the changes of a second. A client that reconnects within 2 s counts as online throughout.",
			ZH: "订阅的用户上线或下线。服务端将一秒内的变化合并推送；2 秒内重新连接的用户视为一直在线。",
		},
		Example: func() []byte { return wire.AppendPresence(nil, present()[1:]) },
	},
	{
		Name: skein.EventKick, Data: wire.Kick{},
		Doc:     ops.Doc{EN: "The server ended this session; it then closes the socket with 4401.", ZH: "服务端结束了本连接的登录，随后以 4401 关闭连接。"},
		Example: func() []byte { return wire.AppendKick(nil, changed, "replaced") },
	},
	{
		Name: skein.EventResync, Data: wire.Resync{},
		Doc: ops.Doc{
			EN: "Pushes for this session may have been lost between servers. Call sync at once, and then msg.ranges for what it shows to be missing, as after a reconnect. The socket stays open. The server spreads this event over its sessions.",
			ZH: "服务器之间可能丢失了给本连接的推送。请像重连后一样立即调用 sync，再用 msg.ranges 补齐缺失的内容；连接保持不变。服务端会将此事件分散推送给各个连接。",
		},
		Example: func() []byte { return wire.AppendResync(nil) },
	},
}

// notice is the example of an event about the conversation.
func notice(kind string, fill func(*skein.Notice)) func() []byte {
	return func() []byte {
		n := skein.Notice{Kind: kind, App: ExampleApp, Conv: idOf(ExampleConv), Time: changed, By: "Tom"}
		fill(&n)
		return wire.AppendNotice(nil, n, time.UTC)
	}
}

// Commands are the socket's own, in the order of the reference.
var Commands = []ops.Command{
	{
		Name: "login", Request: request.Login{}, Answer: wire.LoginAnswer{}, Reply: "login.success",
		Doc: ops.Doc{EN: "Logs a client in: the socket becomes a session of that client.", ZH: "登录：此连接成为该用户的会话连接。"},
		Example: func() (string, []byte) {
			node := "n1"
			answer := wire.LoginAnswer{
				Time: 1599927082012, SessionID: "01748315dc1c7a2b8c3d4e5f60718293", Generation: "000000000000000016c2a5b1f8e7d401", HeartbeatS: 25,
				Limits: wire.LimitsOf(skein.Settings{}, wire.MaxBody, []string{"png", "jpg", "mp4", "pdf"}),
				Node:   &node,
			}
			return `{"device_id":"1111","app_id":"666666","client_id":"1111","ext":{"nickname":"liliSara"}}`,
				wire.AppendSuccess(nil, "login", []byte(`"1"`), answer.Append(nil))
		},
	},
	{
		Name: "ping", Answer: wire.Pong{}, Reply: "pong",
		Doc:     ops.Doc{EN: "Asks the server for a pong.", ZH: "心跳：服务端返回 pong。"},
		Example: func() (string, []byte) { return "", wire.AppendPong(nil, []byte(`"1"`), 1599927107012) },
	},
	{
		Name: "logout", Reply: "logout.success",
		Doc:     ops.Doc{EN: "Ends the session; the server then closes the socket with 1000.", ZH: "登出，随后服务端以 1000 关闭连接。"},
		Example: func() (string, []byte) { return "", wire.AppendSuccess(nil, "logout", []byte(`"1"`), nil) },
	},
}

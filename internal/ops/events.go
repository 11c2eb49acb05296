package ops

import (
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

// Event is one kind of frame that the server pushes.
type Event struct {
	Name string
	Doc  Doc
	Data any // a zero value of its data

	// For are the ops that show what it shows: a session whose token is limited to
	// other actions does not get it. nil: every session does.
	For []string
}

// Which ops show what an event shows.
var (
	readsMessages      = []string{"msg.list", "msg.get", "msg.ranges", "changes"}
	readsConversations = []string{"conv.get", "conv.list", "conv.query", "sync"}
	readsMembers       = append([]string{"conv.members"}, readsConversations...)
	readsPositions     = append([]string{"conv.readers", "conv.read"}, readsConversations...)
)

// Deaf are the events that a session is not to have whose token is limited to some
// actions; nil: it is not limited.
func Deaf(actions []string) skein.EventSet {
	if actions == nil {
		return 0
	}
	var deaf []string
	for _, e := range Events {
		allowed := func(op string) bool { return slices.Contains(actions, op) }
		if e.For != nil && !slices.ContainsFunc(e.For, allowed) {
			deaf = append(deaf, e.Name)
		}
	}
	return skein.EventSetOf(deaf...)
}

// Events are the pushes, in the order of the reference.
var Events = []Event{
	{skein.EventMessage, Doc{"A new message of a conversation of mine.", "所在会话的新消息。"}, wire.NewMessage{}, readsMessages},
	{skein.EventMessageUpdated, Doc{
		"Something became of a message. In the order of change_seq; a gap is what I may not see or missed, and is fetched with changes.",
		"消息发生变更，按 change_seq 顺序推送；序号不连续表示有不可见或错过的变更，可用 changes 获取。",
	}, wire.Change{}, readsMessages},
	{skein.EventConvCreated, Doc{"I became a member of a new conversation.", "我加入了新建的会话。"}, wire.Event{}, readsConversations},
	{skein.EventConvUpdated, Doc{
		"A conversation is another: its extension, mute_all, a member's role, nickname or mute; or, to my own devices alone, how I marked it.",
		"会话已变更：扩展、全员禁言、成员的角色、昵称或禁言；或（仅发给本人设备）本人对会话的标记。",
	}, wire.Event{}, readsConversations},
	{skein.EventConvDeleted, Doc{"A conversation was deleted.", "会话已删除。"}, wire.Event{}, readsConversations},
	{skein.EventMembersAdded, Doc{"Clients were added to a conversation.", "会话有新成员加入。"}, wire.Event{}, readsMembers},
	{skein.EventMembersRemoved, Doc{"Clients left or were removed from a conversation.", "成员退出或被移出会话。"}, wire.Event{}, readsMembers},
	{skein.EventRead, Doc{
		"How far members have read and received. Who sends has read what was said before, and that is told too. Up to 200 members at once, up to 2,000 gathered for a second; above that and in rooms only to the client's own devices, see conv.readers. The session that moved the position is not told: it has its answer.",
		"成员的已读与已接收位置；发送消息即视为已读此前消息，同样会推送。200 人以内立即推送，2000 人以内合并一秒推送；更大的群与聊天室仅推送给本人设备，可用 conv.readers 查询。引起变化的连接不会收到推送，以返回值为准。",
	}, wire.ReadEvent{}, readsPositions},
	{skein.EventTyping, Doc{"Another member of a conversation types, or no more.", "会话中其他成员正在输入，或停止输入。"}, wire.TypingEvent{}, []string{"typing"}},
	{skein.EventPresence, Doc{
		"Clients that this session watches came or went; what happens in a second comes together. Who is back within 2 s was never away.",
		"订阅的用户上线或下线；一秒内的变化合并推送，2 秒内重连视为未离线。",
	}, wire.PresenceEvent{}, []string{"presence.subscribe"}},
	{skein.EventKick, Doc{"This session is over; the socket is closed with 4401 behind it.", "本连接已被登出，随后以 4401 关闭。"}, wire.Kick{}, nil},
	{skein.EventResync, Doc{
		"Events for this session may have been lost between servers. Call sync, then msg.ranges for what it shows to be missing, as after a reconnect; the socket stays open. The server spreads these over its sessions, so call at once.",
		"服务器之间可能丢失了本连接的推送。请像重连后一样调用 sync，再用 msg.ranges 补齐缺失内容；连接保持不变。服务端已将该事件分散推送，收到后可立即调用。",
	}, wire.Resync{}, nil},
}

// Command is one of the socket's own commands, which have no REST route.
type Command struct {
	Name    string
	Doc     Doc
	Request any // nil: no data
	Answer  any
	Reply   string // type of the answer
}

// Commands are the socket's own, in the order of the reference.
var Commands = []Command{
	{"login", Doc{"Logs in: the socket becomes a session of the client.", "登录。"}, request.Login{}, wire.LoginAnswer{}, "login.success"},
	{"ping", Doc{"Asks the server for a pong.", "心跳。"}, nil, wire.Pong{}, "pong"},
	{"logout", Doc{"Ends the session; the socket is closed with 1000.", "登出，随后以 1000 关闭。"}, nil, nil, "logout.success"},
}

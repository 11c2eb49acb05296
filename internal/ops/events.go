package ops

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

// Event is one kind of frame that the server pushes.
type Event struct {
	Name string
	Doc  Doc
	Data any // a zero value of its data
}

// Events are the pushes, in the order of the reference.
var Events = []Event{
	{skein.EventMessage, Doc{"A new message of a conversation of mine.", "所在会话的新消息。"}, wire.NewMessage{}},
	{skein.EventConvCreated, Doc{"I became a member of a new conversation.", "我加入了新建的会话。"}, wire.Event{}},
	{skein.EventConvUpdated, Doc{"The extension of a conversation changed.", "会话扩展已变更。"}, wire.Event{}},
	{skein.EventConvDeleted, Doc{"A conversation was deleted.", "会话已删除。"}, wire.Event{}},
	{skein.EventMembersAdded, Doc{"Clients were added to a conversation.", "会话有新成员加入。"}, wire.Event{}},
	{skein.EventMembersRemoved, Doc{"Clients left or were removed from a conversation.", "成员退出或被移出会话。"}, wire.Event{}},
	{"logout.kick", Doc{"This session is over; the socket is closed with 4401 behind it.", "本连接已被登出，随后以 4401 关闭。"}, wire.Kick{}},
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
	{"login", Doc{"Makes the socket a session.", "登录。"}, wire.LoginRequest{}, wire.LoginAnswer{}, "login.success"},
	{"ping", Doc{"Asks for a sign of life.", "心跳。"}, nil, wire.Pong{}, "pong"},
	{"logout", Doc{"Ends the session; the socket is closed with 1000.", "登出，随后以 1000 关闭。"}, nil, nil, "logout.success"},
}

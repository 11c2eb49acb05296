package wire

import (
	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
)

// LoginAnswer is the data of login.success.
type LoginAnswer struct {
	Time       int64   `json:"time" en:"server time, Unix ms" zh:"服务器时间，Unix 毫秒"`
	SessionID  string  `json:"session_id" en:"id of this session" zh:"会话连接 id"`
	Generation string  `json:"generation" en:"says how new this login is; send it back with resume when you reconnect" zh:"本次登录的新旧标识，重连时配合 resume 传回"`
	HeartbeatS int     `json:"heartbeat_s" en:"seconds between two pings of the server" zh:"服务器 ping 间隔（秒）"`
	Limits     Limits  `json:"limits" en:"limits of this client, so that a program offers only what is allowed" zh:"对该用户生效的限制，客户端据此决定可用的功能"`
	Node       *string `json:"node" en:"name of the server process that holds this socket, to report with a fault; null: the operator named none. Programs must not depend on it" zh:"承载此连接的服务节点名，便于排查问题；null 表示运维未命名。客户端程序不应依赖它"`
}

// Limits are what holds for the clients of an app.
type Limits struct {
	EditWindowS      *int     `json:"edit_window_s" en:"seconds after sending in which a sender may edit; null: no limit" zh:"发送者可编辑的秒数；null 为不限"`
	RecallWindowS    *int     `json:"recall_window_s" en:"seconds after sending in which a sender may recall; null: no limit" zh:"发送者可撤回的秒数；null 为不限"`
	MaxTextBytes     int      `json:"max_text_bytes" en:"bytes of a message's text in UTF-8, at most" zh:"消息文本的最大字节数（UTF-8）"`
	MaxFrameBytes    int64    `json:"max_frame_bytes" en:"bytes of a frame or a REST body, at most" zh:"单帧或 REST 请求体的最大字节数"`
	MaxFileBytes     int64    `json:"max_file_bytes" en:"bytes of an upload, at most" zh:"上传文件的最大字节数"`
	FileTypes        []string `json:"file_types" en:"extensions that may be uploaded" zh:"可上传的扩展名"`
	MaxMembers       int      `json:"max_members" en:"members of a group, at most" zh:"群成员数上限"`
	MaxConversations int      `json:"max_conversations" en:"conversations of a client, at most" zh:"每个用户的会话数上限"`
	SendRate         *int     `json:"send_rate" en:"messages a second; null: no limit" zh:"每秒消息数；null 为不限"`
	SendBurst        int      `json:"send_burst" en:"messages in a burst" zh:"突发消息数"`
}

// LimitsOf are those of an app; frame bounds a frame, and types are what may be uploaded
// where the app lists none.
func LimitsOf(s skein.Settings, frame int64, types []string) Limits {
	s = s.WithDefaults()
	if s.FileTypes != nil {
		types = s.FileTypes
	}
	return Limits{
		EditWindowS: unlessNegative(s.EditWindow), RecallWindowS: unlessNegative(s.RecallWindow), MaxTextBytes: skein.MaxText, MaxFrameBytes: frame,
		MaxFileBytes: s.MaxFileBytes, FileTypes: append([]string{}, types...), MaxMembers: s.MaxMembers,
		MaxConversations: s.MaxConversations, SendRate: unlessNegative(s.SendRate), SendBurst: s.SendBurst,
	}
}

// unlessNegative is nil for a negative number.
func unlessNegative(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

// Append appends the answer as JSON.
func (a LoginAnswer) Append(dst []byte) []byte {
	out, _ := json.Marshal(a) // strings and integers: it cannot fail
	return append(dst, out...)
}

// Pong is the data of pong.
type Pong struct {
	Time int64 `json:"time" en:"server time, Unix ms" zh:"服务器时间，Unix 毫秒"`
}

// Resync is the data of resync.
type Resync struct{}

// Kick is the data of logout.kick.
type Kick struct {
	Time   int64  `json:"time" en:"server time, Unix ms" zh:"服务器时间，Unix 毫秒"`
	Reason string `json:"reason" en:"replaced, device_limit, device_type, token_expired, banned, logged_out or deleted" zh:"replaced、device_limit、device_type、token_expired、banned、logged_out 或 deleted"`
}

package wire

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// CreatedConversation is the answer of conv.create.
type CreatedConversation struct {
	ConvExtend jsontext.Value `json:"conv_extend" en:"as stored" zh:"会话扩展"`
	ConvID     skein.ID       `json:"conv_id" en:"32 hex digits" zh:"会话 id，32 位十六进制"`
}

// Conversation is one conversation as answered.
type Conversation struct {
	ConvID        skein.ID       `json:"conv_id" en:"32 hex digits" zh:"会话 id"`
	ConvType      int            `json:"conv_type" en:"1 private, 2 temporary, 3 group, 4 chat room" zh:"1 私聊 2 临时会话 3 群会话 4 聊天室"`
	ClientNum     int            `json:"client_num" en:"members now" zh:"当前成员数"`
	AppID         string         `json:"app_id" en:"the app" zh:"应用 id"`
	ConvExtend    jsontext.Value `json:"conv_extend" en:"the JSON of your own" zh:"会话扩展"`
	ConvCreaterID string         `json:"conv_creater_id" en:"who created it" zh:"创建者"`
	CTime         string         `json:"ctime" en:"created, YYYY-MM-DD HH:MM:SS in the server's --timezone" zh:"创建时间 YYYY-MM-DD HH:MM:SS（服务器 --timezone 时区）"`
	MTime         *string        `json:"mtime" en:"last change of the extension or the members; null: never" zh:"会话扩展或成员最后变更时间；从未变更为 null"`
	CTimeMS       int64          `json:"ctime_ms" en:"ctime in Unix ms" zh:"ctime 的 Unix 毫秒"`
	MTimeMS       *int64         `json:"mtime_ms" en:"mtime in Unix ms" zh:"mtime 的 Unix 毫秒"`
	LastSeq       int64          `json:"last_seq" en:"seq of the newest message; 0: none" zh:"最新消息的 seq；没有消息为 0"`
	LastChange    int64          `json:"last_change" en:"change_seq of the newest change to a message; 0: none" zh:"最新变更的 change_seq；没有变更为 0"`
	MuteAll       strict.Flag    `json:"mute_all" en:"1: all members are muted except owner and admins" zh:"1 为全员禁言，仅所有者与管理员可发言"`
}

// ConversationOf writes a conversation with times in zone.
func ConversationOf(c skein.Conversation, zone *time.Location) Conversation {
	out := Conversation{
		ConvID: c.ID, ConvType: int(c.Type), ClientNum: c.Members, AppID: c.App,
		ConvExtend: rawOf(c.Extend), ConvCreaterID: c.Creator, LastSeq: c.LastSeq, LastChange: c.Changes, MuteAll: strict.Flag(c.MuteAll),
		CTime: clock(c.Created, zone), CTimeMS: int64(c.Created),
	}
	out.MTime, out.MTimeMS = optionalClock(c.Updated, zone)
	return out
}

package wire

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// NewMessage is the data of msg.new.
type NewMessage struct {
	FromClient       string         `json:"from_client" en:"the sender" zh:"发送者"`
	ConvID           skein.ID       `json:"conv_id" en:"the conversation" zh:"会话 id"`
	MsgID            skein.ID       `json:"msg_id" en:"32 hex digits" zh:"消息 id"`
	CTime            int64          `json:"ctime" en:"Unix ms" zh:"发送时间，Unix 毫秒"`
	Type             int            `json:"type" en:"as sent" zh:"消息类型"`
	Text             *string        `json:"text" en:"null: none" zh:"文本；无为 null"`
	Attr             jsontext.Value `json:"attr" en:"null: none" zh:"消息扩展；无为 null"`
	URL              *string        `json:"url" en:"null: none" zh:"资源地址；无为 null"`
	Transient        strict.Flag    `json:"transient" en:"1: not stored" zh:"1 为暂态消息"`
	MentionAll       strict.Flag    `json:"mention_all" en:"as sent" zh:"是否 @全体"`
	MentionClientIDs []string       `json:"mention_client_ids" en:"null: none" zh:"@ 的用户；无为 null"`
	Seq              *int64         `json:"seq" en:"number of the message in its conversation; null for a transient message" zh:"会话内序号；暂态消息为 null"`
	ConvType         int            `json:"conv_type" en:"1 private, 2 temporary, 3 group, 4 chat room" zh:"会话类型"`
	ClientMsgID      *string        `json:"client_msg_id" en:"the sender's own id; null: none" zh:"发送者自定义 id；无为 null"`
	ReplyTo          *skein.ID      `json:"reply_to" en:"msg_id of the message that this one replies to; null: none" zh:"回复的 msg_id；无为 null"`
}

// NewMessageOf writes the push of a message; it shares m's bytes.
func NewMessageOf(m *skein.Committed) NewMessage {
	out := NewMessage{
		FromClient: m.Sender, ConvID: m.Conv, MsgID: m.ID, CTime: int64(m.Created), Type: m.Type,
		Text: sharedText(&m.Text), Attr: m.Attr, URL: sharedText(&m.URL),
		Transient: strict.Flag(m.Transient), MentionAll: strict.Flag(m.MentionAll), MentionClientIDs: m.Mentions,
		ConvType: int(m.ConvType), ClientMsgID: sharedText(&m.ClientMsgID),
	}
	if m.Seq != 0 {
		out.Seq = &m.Seq
	}
	if !m.ReplyTo.IsZero() {
		out.ReplyTo = &m.ReplyTo
	}
	return out
}

// NewMessageFrame is the frame of msg.new in memory of its own, with little to spare.
func NewMessageFrame(m *skein.Committed) []byte {
	const fixed = 384 // names, ids, numbers
	room := fixed + len(m.Sender) + len(m.Text) + len(m.Attr) + len(m.URL) + len(m.ClientMsgID)
	return AppendNewMessage(make([]byte, 0, room), m)
}

// AppendNewMessage appends the frame of msg.new: the same bytes as the tags of
// NewMessage say (FuzzMessageJSON).
func AppendNewMessage(dst []byte, m *skein.Committed) []byte {
	p := NewMessageOf(m)
	dst = append(dst, `{"type":"`+skein.EventMessage+`","data":`...)
	return append(p.AppendJSON(dst), '}')
}

// AppendJSON appends the data of msg.new.
func (m NewMessage) AppendJSON(dst []byte) []byte {
	dst = strict.AppendQuote(append(dst, `{"from_client":`...), m.FromClient)
	dst = append(dst, `,"conv_id":"`...)
	dst, _ = m.ConvID.AppendText(dst)
	dst = append(dst, `","msg_id":"`...)
	dst, _ = m.MsgID.AppendText(dst)
	dst = append(dst, `","ctime":`...)
	dst = strconv.AppendInt(dst, m.CTime, 10)
	dst = append(dst, `,"type":`...)
	dst = strconv.AppendInt(dst, int64(m.Type), 10)
	dst = appendBody(dst, m.Text, m.Attr, m.URL)
	dst = strict.AppendFlag(append(dst, `,"transient":`...), m.Transient)
	dst = appendMentions(dst, m.MentionAll, m.MentionClientIDs)
	dst = strict.AppendOptionalInt(append(dst, `,"seq":`...), m.Seq)
	dst = append(dst, `,"conv_type":`...)
	dst = strconv.AppendInt(dst, int64(m.ConvType), 10)
	dst = strict.AppendOptionalText(append(dst, `,"client_msg_id":`...), m.ClientMsgID)
	return append(appendReplyTo(dst, m.ReplyTo), '}')
}

// Event is the data of the events about a conversation. Absent fields are left out.
type Event struct {
	ConvID    skein.ID      `json:"conv_id" en:"the conversation" zh:"会话 id"`
	Time      int64         `json:"time" en:"Unix ms" zh:"Unix 毫秒"`
	By        string        `json:"by,omitzero" en:"the client that did it; absent: the backend" zh:"操作者；由服务端操作时省略"`
	ClientIDs []string      `json:"client_ids,omitzero" en:"conv.members.added, conv.members.removed: the members; conv.updated: the members whose role, nickname or mute changed" zh:"加入或移除的用户；conv.updated 中为角色、昵称或禁言变更的成员"`
	Conv      *Conversation `json:"conversation,omitzero" en:"conv.created, conv.updated: the conversation as it is now" zh:"会话当前内容"`
	View      *View         `json:"view,omitzero" en:"conv.updated after conv.mark, or after reading cleared unread_mark, to the client's own devices: the conversation as that client sees it now" zh:"conv.mark 或已读清除 unread_mark 之后的 conv.updated，仅发给本人设备：本人视角的会话"`
}

func eventOf(n skein.Notice, zone *time.Location) Event {
	e := Event{ConvID: n.Conv, Time: int64(n.Time), By: n.By, ClientIDs: n.Clients}
	if n.Conversation != nil {
		c := ConversationOf(*n.Conversation, zone)
		e.Conv = &c
	}
	if n.View != nil {
		v := ViewOf(n.View, zone)
		e.View = &v
	}
	return e
}

// noticeOf is the data of an event.
func noticeOf(n skein.Notice, zone *time.Location) any {
	switch n.Kind {
	case skein.EventRead:
		return readEventOf(n)
	case skein.EventTyping:
		return typingEventOf(n)
	default:
		return eventOf(n, zone)
	}
}

// AppendNotice appends the frame of an event about a conversation.
func AppendNotice(dst []byte, n skein.Notice, zone *time.Location) []byte {
	dst = append(dst, `{"type":"`...)
	dst = append(dst, n.Kind...)
	dst = append(dst, `","data":`...)
	data, err := json.Marshal(noticeOf(n, zone))
	if err != nil {
		data = []byte("null") // stored JSON that is none: the event still says what happened
	}
	return append(append(dst, data...), '}')
}

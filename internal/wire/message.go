package wire

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Sent is the answer of msg.send.
type Sent struct {
	MsgID skein.ID `json:"msg_id" en:"32 hex digits, time-ordered" zh:"消息 id，32 位十六进制，按时间有序"`
	Time  int64    `json:"time" en:"Unix ms" zh:"Unix 毫秒"`
	Seq   *int64   `json:"seq" en:"number of the message in its conversation, durable; null for a transient message. A client moves its last seq to it only if it is last + 1; otherwise others sent messages in between: fetch them with after_seq of msg.list" zh:"会话内序号（已持久化）；暂态消息为 null。客户端仅当其等于本地 last + 1 时才可前移 last，否则期间有他人消息，需用 msg.list after_seq 补取"`
}

// SentOf answers a sender; it shares m's seq.
func SentOf(m *skein.Message) Sent {
	out := Sent{MsgID: m.ID, Time: int64(m.Created)}
	if m.Seq != 0 {
		out.Seq = &m.Seq
	}
	return out
}

// AppendJSON appends the answer.
func (s Sent) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"msg_id":"`...)
	dst, _ = s.MsgID.AppendText(dst)
	dst = append(dst, `","time":`...)
	dst = strconv.AppendInt(dst, s.Time, 10)
	dst = append(dst, `,"seq":`...)
	dst = strict.AppendOptionalInt(dst, s.Seq)
	return append(dst, '}')
}

// Message is one message of the history.
type Message struct {
	MsgID            skein.ID       `json:"msg_id" en:"32 hex digits" zh:"消息 id"`
	ConvID           skein.ID       `json:"conv_id" en:"the conversation" zh:"会话 id"`
	Type             int            `json:"type" en:"as sent" zh:"消息类型"`
	Text             *string        `json:"text" en:"null: none, or recalled" zh:"文本；无或已撤回为 null"`
	Attr             jsontext.Value `json:"attr" en:"null: none" zh:"消息扩展；无为 null"`
	URL              *string        `json:"url" en:"null: none" zh:"资源地址；无为 null"`
	CTime            int64          `json:"ctime" en:"Unix ms" zh:"发送时间，Unix 毫秒"`
	MsgStatus        int            `json:"msg_status" en:"1 normal, 2 deleted, 3 recalled" zh:"1 正常 2 已删除 3 已撤回"`
	NoSync           strict.Flag    `json:"no_sync" en:"as sent" zh:"是否同步其他端"`
	MentionAll       strict.Flag    `json:"mention_all" en:"as sent" zh:"是否 @全体"`
	MentionClientIDs []string       `json:"mention_client_ids" en:"null: none" zh:"@ 的用户；无为 null"`
	Transient        strict.Flag    `json:"transient" en:"always 0 in the history" zh:"历史消息恒为 0"`
	MTime            *int64         `json:"mtime" en:"last change, Unix ms; null: never" zh:"最后变更，Unix 毫秒；从未变更为 null"`
	ClientID         string         `json:"client_id" en:"the sender: from_client of msg.send and msg.new" zh:"发送者，即 msg.send 与 msg.new 的 from_client"`
	Seq              int64          `json:"seq" en:"number of the message in its conversation, from 1, without gaps" zh:"会话内序号，从 1 起连续"`
	ClientMsgID      *string        `json:"client_msg_id" en:"the sender's own id; null: none" zh:"发送者自定义 id；无为 null"`
	ReplyTo          *skein.ID      `json:"reply_to" en:"msg_id of the message that this one replies to; null: none" zh:"回复的 msg_id；无为 null"`
	Version          int            `json:"version" en:"1 when sent; each edit adds one" zh:"初始为 1，每次编辑加 1"`
	ChangeSeq        int64          `json:"change_seq" en:"newest change that everyone sees; of two copies of a message the one with the greater change_seq is newer; 0: none" zh:"最近一次所有人可见的变更序号，较大者较新；无为 0"`
	Pin              strict.Flag    `json:"pin" en:"1: pinned for everyone" zh:"1 已置顶（所有人可见）"`
	Reactions        []Reaction     `json:"reactions" en:"in the order in which they first appeared; null: none" zh:"表情回应，按首次出现排序；无为 null"`
}

// Reaction is one emoji under a message.
type Reaction struct {
	Emoji     string   `json:"emoji" en:"as it was sent" zh:"表情"`
	Count     int      `json:"count" en:"how many clients" zh:"人数"`
	ClientIDs []string `json:"client_ids" en:"the first 10 of them" zh:"最先回应的用户，最多 10 个"`
}

// MessageOf writes a message; it shares m's bytes.
func MessageOf(m *skein.Message) Message {
	out := Message{
		MsgID: m.ID, ConvID: m.Conv, Type: m.Type, Attr: m.Attr, CTime: int64(m.Created),
		MsgStatus: int(m.Status), NoSync: strict.Flag(m.NoSync), MentionAll: strict.Flag(m.MentionAll),
		MentionClientIDs: m.Mentions, Transient: strict.Flag(m.Transient), ClientID: m.Sender, Seq: m.Seq,
	}
	out.Text = sharedText(&m.Text)
	out.URL = sharedText(&m.URL)
	out.ClientMsgID = sharedText(&m.ClientMsgID)
	if m.Updated != 0 {
		updated := int64(m.Updated)
		out.MTime = &updated
	}
	if !m.ReplyTo.IsZero() {
		out.ReplyTo = &m.ReplyTo
	}
	out.Version, out.ChangeSeq, out.Pin = m.Version, m.Changed, m.Pinned != 0
	if len(m.Reactions) > 0 {
		out.Reactions = make([]Reaction, len(m.Reactions))
		for i, r := range m.Reactions {
			out.Reactions[i] = Reaction{r.Emoji, r.Count, r.Clients}
		}
	}
	return out
}

// AppendJSON appends the message, the same bytes as its tags say, at a fraction of
// the cost (BenchmarkMessageJSON, FuzzMessageJSON).
func (m Message) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"msg_id":"`...)
	dst, _ = m.MsgID.AppendText(dst)
	dst = append(dst, `","conv_id":"`...)
	dst, _ = m.ConvID.AppendText(dst)
	dst = append(dst, `","type":`...)
	dst = strconv.AppendInt(dst, int64(m.Type), 10)
	dst = appendBody(dst, m.Text, m.Attr, m.URL)
	dst = append(dst, `,"ctime":`...)
	dst = strconv.AppendInt(dst, m.CTime, 10)
	dst = append(dst, `,"msg_status":`...)
	dst = strconv.AppendInt(dst, int64(m.MsgStatus), 10)
	dst = strict.AppendFlag(append(dst, `,"no_sync":`...), m.NoSync)
	dst = appendMentions(dst, m.MentionAll, m.MentionClientIDs)
	dst = strict.AppendFlag(append(dst, `,"transient":`...), m.Transient)
	dst = strict.AppendOptionalInt(append(dst, `,"mtime":`...), m.MTime)
	dst = strict.AppendQuote(append(dst, `,"client_id":`...), m.ClientID)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendInt(dst, m.Seq, 10)
	dst = strict.AppendOptionalText(append(dst, `,"client_msg_id":`...), m.ClientMsgID)
	dst = appendReplyTo(dst, m.ReplyTo)
	dst = append(dst, `,"version":`...)
	dst = strconv.AppendInt(dst, int64(m.Version), 10)
	dst = append(dst, `,"change_seq":`...)
	dst = strconv.AppendInt(dst, m.ChangeSeq, 10)
	dst = strict.AppendFlag(append(dst, `,"pin":`...), m.Pin)
	return append(appendReactions(dst, m.Reactions), '}')
}

// MarshalJSONTo writes the message as AppendJSON does inside of values that are written by
// their tags.
func (m Message) MarshalJSONTo(enc *jsontext.Encoder) error { return enc.WriteValue(m.AppendJSON(nil)) }

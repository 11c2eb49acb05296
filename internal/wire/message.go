package wire

import (
	"math"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// SendMessage is the request of msg.send.
type SendMessage struct {
	ConvID           ClientID       `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	FromClient       ClientID       `json:"from_client" en:"the sender; a client may leave itself out" zh:"发送者；客户端调用时可省略"`
	Type             *int64         `json:"type" need:"1" en:"-1 text -2 image -3 audio -4 video -5 location -6 file; 1 to 2147483647: your own" zh:"-1 文本 -2 图片 -3 语音 -4 视频 -5 位置 -6 文件；1 至 2147483647 为自定义"`
	Text             string         `json:"text" prose:"1" en:"at most 16 KiB; must not be blank for type -1" zh:"文本内容，最大 16 KiB；文本类型不可为空白"`
	Attr             jsontext.Value `json:"attr" en:"any JSON, at most 16 KiB as compact UTF-8 without needless escapes; numbers within the range of a double, no U+0000" zh:"消息扩展，任意 JSON，最大 16 KiB（按去除空白与多余转义后的 UTF-8 计）；数字不超出双精度范围，不含 U+0000"`
	URL              string         `json:"url" en:"required for -2 -3 -4 -6; at most 2 KiB. For -2 to -6 it is an http or https address, or a link to an upload; for text and types of your own it may be any text" zh:"资源地址，-2 -3 -4 -6 必填，最大 2 KiB。-2 至 -6 只接受 http、https 地址或上传文件的链接；文本与自定义类型不限"`
	Transient        Flag           `json:"transient" en:"1: for members online now; never stored, no seq" zh:"1 暂态：仅投递在线成员，不存储，无 seq"`
	NoSync           *Flag          `json:"no_sync" en:"1: the sender's own sockets get the live copy too. Default: 0 by REST; by socket the sender's other devices get it" zh:"1 同步到发送者自己的连接。REST 默认 0；socket 默认同步到发送者的其他设备"`
	MentionAll       Flag           `json:"mention_all" en:"1: mentions everyone; an app may leave that to owner and admins" zh:"1 @全体成员；应用可限定仅所有者与管理员"`
	MentionClientIDs []ClientID     `json:"mention_client_ids" en:"at most 100 clients" zh:"需要 @ 的用户，最多 100 个"`
	ClientMsgID      ClientID       `json:"client_msg_id" en:"≤ 64 characters of your own; a retry with it and the same content answers the first message again, another content 4013. JSON is compared by content: order of keys, escapes, spacing and 1.0 for 1 do not count" zh:"自定义 id，最多 64 个字符；以相同 id 与相同内容重试会返回首条消息，内容不同返回 4013。JSON 按内容比较，不计键的顺序、转义、空白与数字写法（1.0 与 1）"`
	ReplyTo          ClientID       `json:"reply_to" en:"a msg_id of this conversation" zh:"回复的 msg_id"`
	MarkRead         Flag           `json:"mark_read" en:"1, from the backend: the sender has also read all messages before this one; a client that sends has always read them" zh:"服务端代发时为 1：发送者视为已读此前消息；客户端自己发送始终视为已读"`
	DeviceID         ClientID       `json:"device_id" en:"this device of the sender is left out of the live copy" zh:"该设备不接收实时副本"`
}

// Sent is the answer of msg.send.
type Sent struct {
	MsgID skein.ID `json:"msg_id" en:"32 hex digits, time-ordered" zh:"消息 id，32 位十六进制，按时间有序"`
	Time  int64    `json:"time" en:"Unix ms" zh:"Unix 毫秒"`
	Seq   *int64   `json:"seq" en:"place in the conversation, durable; null for a transient message. A client that counts what it has seen moves its last seq to this one only if it is last + 1: otherwise others sent messages meanwhile, which msg.list after_seq fetches" zh:"会话内序号（已持久化）；暂态消息为 null。客户端仅当其等于本地 last + 1 时才可前移 last，否则期间有他人消息，需用 msg.list after_seq 补取"`
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
	dst = appendOptionalInt(dst, s.Seq)
	return append(dst, '}')
}

// Body checks the request and is the body it asks for; relaxed is the app's rule
// for client ids.
func (r SendMessage) Body(relaxed bool) (skein.Body, error) {
	if *r.Type < skein.TypeFile || *r.Type > math.MaxInt32 {
		return skein.Body{}, skein.Malformed("type", "must be -1 to -6, or 1 to 2147483647")
	}
	b := skein.Body{
		Type: int(*r.Type), Text: r.Text, URL: r.URL,
		MentionAll: bool(r.MentionAll), Transient: bool(r.Transient),
		NoSync: r.NoSync != nil && bool(*r.NoSync),
	}
	var err error
	if b.Attr, err = attrOf(r.Attr); err != nil {
		return b, err
	}
	if b.Mentions, err = ClientIDs("mention_client_ids", r.MentionClientIDs, skein.MaxMentions, relaxed); err != nil {
		return b, err
	}
	if r.ReplyTo != "" {
		if b.ReplyTo, err = skein.ParseID(string(r.ReplyTo)); err != nil {
			return b, skein.About(skein.ErrUnknownMessage, "reply_to")
		}
	}
	if err := checkToken("client_msg_id", string(r.ClientMsgID)); err != nil {
		return b, err
	}
	if err := checkDeviceID(string(r.DeviceID)); err != nil {
		return b, err
	}
	if err := checkLink(b.Type, b.URL); err != nil {
		return b, err
	}
	return b, b.Fault()
}

// ListMessages is the request of msg.list.
type ListMessages struct {
	ConvID    ClientID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	AfterSeq  *int64   `json:"after_seq" en:"messages after this seq, oldest first" zh:"返回该 seq 之后的消息，从旧到新"`
	BeforeSeq *int64   `json:"before_seq" en:"messages before this seq, newest first" zh:"返回该 seq 之前的消息，从新到旧"`
	Limit     *int64   `json:"limit" en:"with after_seq or before_seq: 1..200, default 50" zh:"配合 after_seq、before_seq：1..200，默认 50"`
	Page      *int64   `json:"page" en:"from 1, newest first" zh:"页码，从 1 开始，从新到旧"`
	Size      *int64   `json:"size" en:"1..100, default 10" zh:"每页条数，1..100，默认 10"`
}

// BySeq reports whether the request is one by seq, and its range. Errors:
// skein.ErrMalformed naming the field.
func (r ListMessages) BySeq() (bySeq bool, rng skein.SeqRange, err error) {
	if rng.Limit, err = limitOf("limit", r.Limit, DefaultLimit); err != nil {
		return false, rng, err
	}
	switch {
	case r.AfterSeq != nil && r.BeforeSeq != nil:
		return false, rng, skein.Malformed("before_seq", "not together with after_seq")
	case r.AfterSeq != nil:
		rng.After = *r.AfterSeq
		if rng.After < 0 {
			err = skein.Malformed("after_seq", "must be at least 0")
		}
	case r.BeforeSeq != nil:
		rng.Before, rng.Newest = *r.BeforeSeq, true
		if rng.Before < 1 {
			err = skein.Malformed("before_seq", "must be at least 1")
		}
	default:
		return false, rng, nil
	}
	return true, rng, err
}

// Place is the page asked for.
func (r ListMessages) Place() (Place, error) {
	return PageRequest{Page: r.Page, Size: r.Size}.Place(MessagePageSize, Seal{}) // has no cursors
}

// MessageRequest names one message.
type MessageRequest struct {
	ConvID ClientID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	MsgID  ClientID `json:"msg_id" need:"1" en:"the message" zh:"消息 id"`
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
	NoSync           Flag           `json:"no_sync" en:"as sent" zh:"是否同步其他端"`
	MentionAll       Flag           `json:"mention_all" en:"as sent" zh:"是否 @全体"`
	MentionClientIDs []string       `json:"mention_client_ids" en:"null: none" zh:"@ 的用户；无为 null"`
	Transient        Flag           `json:"transient" en:"always 0 in the history" zh:"历史消息恒为 0"`
	MTime            *int64         `json:"mtime" en:"last change, Unix ms; null: never" zh:"最后变更，Unix 毫秒；从未变更为 null"`
	ClientID         string         `json:"client_id" en:"the sender: from_client of msg.send and msg.new" zh:"发送者，即 msg.send 与 msg.new 的 from_client"`
	Seq              int64          `json:"seq" en:"place in the conversation, from 1, without gaps" zh:"会话内序号，从 1 起连续"`
	ClientMsgID      *string        `json:"client_msg_id" en:"the sender's own id; null: none" zh:"发送者自定义 id；无为 null"`
	ReplyTo          *skein.ID      `json:"reply_to" en:"msg_id it answers; null: none" zh:"回复的 msg_id；无为 null"`
	Version          int            `json:"version" en:"1 as sent, one more with each edit" zh:"初始为 1，每次编辑加 1"`
	ChangeSeq        int64          `json:"change_seq" en:"newest change that everyone sees; of two copies the one with the greater is the newer; 0: none" zh:"最近一次所有人可见的变更序号，较大者较新；无为 0"`
	Pin              Flag           `json:"pin" en:"1: pinned for everyone" zh:"1 已置顶（所有人可见）"`
	Reactions        []Reaction     `json:"reactions" en:"in the order they first came; null: none" zh:"表情回应，按首次出现排序；无为 null"`
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
		MsgStatus: int(m.Status), NoSync: Flag(m.NoSync), MentionAll: Flag(m.MentionAll),
		MentionClientIDs: m.Mentions, Transient: Flag(m.Transient), ClientID: m.Sender, Seq: m.Seq,
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

func sharedText(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
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
	dst = appendFlag(append(dst, `,"no_sync":`...), m.NoSync)
	dst = appendMentions(dst, m.MentionAll, m.MentionClientIDs)
	dst = appendFlag(append(dst, `,"transient":`...), m.Transient)
	dst = appendOptionalInt(append(dst, `,"mtime":`...), m.MTime)
	dst = appendQuote(append(dst, `,"client_id":`...), m.ClientID)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendInt(dst, m.Seq, 10)
	dst = appendOptionalText(append(dst, `,"client_msg_id":`...), m.ClientMsgID)
	dst = appendReplyTo(dst, m.ReplyTo)
	dst = append(dst, `,"version":`...)
	dst = strconv.AppendInt(dst, int64(m.Version), 10)
	dst = append(dst, `,"change_seq":`...)
	dst = strconv.AppendInt(dst, m.ChangeSeq, 10)
	dst = appendFlag(append(dst, `,"pin":`...), m.Pin)
	return append(appendReactions(dst, m.Reactions), '}')
}

// MarshalJSONTo writes the message as AppendJSON does, where it stands in what is
// written by its tags.
func (m Message) MarshalJSONTo(enc *jsontext.Encoder) error { return enc.WriteValue(m.AppendJSON(nil)) }

// MessageList is the answer of msg.list as its caller reads it: a MessagePage where
// a page was asked for, a MessageSpan by seq.
type MessageList struct {
	Data        []Message `json:"data" en:"newest first; with after_seq oldest first" zh:"消息，从新到旧；带 after_seq 时从旧到新"`
	HasMore     bool      `json:"has_more,omitzero" en:"by seq: whether more lies beyond" zh:"按 seq：是否还有更多"`
	CurrentPage int64     `json:"current_page,omitzero" en:"by page: this page" zh:"按页：当前页"`
	LastPage    int64     `json:"last_page,omitzero" en:"by page: number of the last page, at least 1" zh:"按页：最后一页，至少为 1"`
	PerPage     int       `json:"per_page,omitzero" en:"by page: messages a page" zh:"按页：每页条数"`
	Total       int64     `json:"total,omitzero" en:"by page: messages in all" zh:"按页：消息总数"`
}

// MessagePage is a page of the history, newest first.
type MessagePage struct {
	CurrentPage int64     `json:"current_page" en:"this page" zh:"当前页"`
	Data        []Message `json:"data" en:"newest first" zh:"消息，从新到旧"`
	LastPage    int64     `json:"last_page" en:"number of the last page, at least 1" zh:"最后一页，至少为 1"`
	PerPage     int       `json:"per_page" en:"messages a page" zh:"每页条数"`
	Total       int64     `json:"total" en:"messages in all" zh:"消息总数"`
}

// NewMessagePage is the page at a place among total messages.
func NewMessagePage(at Place, messages []skein.Message, total int64) MessagePage {
	return MessagePage{at.Page, messagesOf(messages), lastPage(total, int64(at.Size)), at.Size, total}
}

// AppendJSON appends the page.
func (p MessagePage) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"current_page":`...)
	dst = strconv.AppendInt(dst, p.CurrentPage, 10)
	dst = appendMessages(append(dst, `,"data":`...), p.Data)
	dst = append(dst, `,"last_page":`...)
	dst = strconv.AppendInt(dst, p.LastPage, 10)
	dst = append(dst, `,"per_page":`...)
	dst = strconv.AppendInt(dst, int64(p.PerPage), 10)
	dst = append(dst, `,"total":`...)
	dst = strconv.AppendInt(dst, p.Total, 10)
	return append(dst, '}')
}

// MessageSpan is an answer by seq.
type MessageSpan struct {
	Data    []Message `json:"data" en:"oldest first after_seq, newest first before_seq" zh:"after_seq 从旧到新，before_seq 从新到旧"`
	HasMore bool      `json:"has_more" en:"whether more lies beyond" zh:"是否还有更多"`
}

// NewMessageSpan is an answer by seq.
func NewMessageSpan(messages []skein.Message, more bool) MessageSpan {
	return MessageSpan{messagesOf(messages), more}
}

// AppendJSON appends the span.
func (s MessageSpan) AppendJSON(dst []byte) []byte {
	dst = appendMessages(append(dst, `{"data":`...), s.Data)
	dst = append(dst, `,"has_more":`...)
	dst = strconv.AppendBool(dst, s.HasMore)
	return append(dst, '}')
}

func messagesOf(in []skein.Message) []Message {
	out := make([]Message, len(in))
	for i := range in {
		out[i] = MessageOf(&in[i])
	}
	return out
}

// messageOverhead is about what a message takes beside its text and attr, in bytes.
const messageOverhead = 450

func appendMessages(dst []byte, messages []Message) []byte {
	size := 2
	for _, m := range messages {
		size += messageOverhead + len(m.Attr)
		if m.Text != nil {
			size += len(*m.Text)
		}
	}
	dst = append(slices.Grow(dst, size), '[')
	for i, m := range messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = m.AppendJSON(dst)
	}
	return append(dst, ']')
}

// Messages is a list of messages as an answer.
type Messages []Message

// NewMessages is the answer with these messages.
func NewMessages(messages []skein.Message) Messages { return messagesOf(messages) }

// AppendJSON appends the list.
func (m Messages) AppendJSON(dst []byte) []byte { return appendMessages(dst, m) }

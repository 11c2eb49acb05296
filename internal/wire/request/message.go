// Package request holds what callers send: the request of every op and of login, with
// the bounds of its fields. It decides nothing that depends on what is stored.
package request

import (
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/cursor"
	"github.com/skein-im/skein/internal/wire/strict"
)

// SendMessage is the request of msg.send.
type SendMessage struct {
	ConvID           strict.ID      `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	FromClient       strict.ID      `json:"from_client" en:"the sender; a client that calls for itself may omit it" zh:"发送者；客户端调用时可省略"`
	Type             *int64         `json:"type" need:"1" en:"-1 text, -2 image, -3 audio, -4 video, -5 location, -6 file; 1 to 2147483647: types of your own" zh:"-1 文本 -2 图片 -3 语音 -4 视频 -5 位置 -6 文件；1 至 2147483647 为自定义"`
	Text             string         `json:"text" prose:"1" en:"at most 16 KiB; must not be blank for type -1" zh:"文本内容，最大 16 KiB；文本类型不可为空白"`
	Attr             jsontext.Value `json:"attr" en:"any JSON; at most 16 KiB as UTF-8 without white space and needless escapes; numbers in the range of a double, no U+0000" zh:"消息扩展，任意 JSON，最大 16 KiB（按去除空白与多余转义后的 UTF-8 计）；数字不超出双精度范围，不含 U+0000"`
	URL              string         `json:"url" en:"required for -2 -3 -4 -6; at most 2 KiB. For -2 to -6 it is an http or https address, or a link to an upload; for text and types of your own it may be any text" zh:"资源地址，-2 -3 -4 -6 必填，最大 2 KiB。-2 至 -6 只接受 http、https 地址或上传文件的链接；文本与自定义类型不限"`
	Transient        strict.Flag    `json:"transient" en:"1: delivered only to members who are online; not stored, no seq" zh:"1 暂态：仅投递在线成员，不存储，无 seq"`
	NoSync           *strict.Flag   `json:"no_sync" en:"1: the sender's own sockets receive the message too. Default: 0 by REST; by socket the sender's other devices receive it" zh:"1 同步到发送者自己的连接。REST 默认 0；socket 默认同步到发送者的其他设备"`
	MentionAll       strict.Flag    `json:"mention_all" en:"1: mentions everyone; an app may allow this to owner and admins only" zh:"1 @全体成员；应用可限定仅所有者与管理员"`
	MentionClientIDs []strict.ID    `json:"mention_client_ids" en:"at most 100 clients" zh:"需要 @ 的用户，最多 100 个"`
	ClientMsgID      strict.ID      `json:"client_msg_id" en:"an id of your own, at most 64 characters; a retry with the same id and content returns the first message, with other content it fails with 4013. The server remembers the id for at least 7 days; after that a retry may be stored as a new message. JSON is compared by content: the order of keys, escapes, white space and 1.0 for 1 make no difference" zh:"自定义 id，最多 64 个字符；以相同 id 与相同内容重试会返回首条消息，内容不同返回 4013。服务端至少记住 7 天，此后重试可能成为新消息。JSON 按内容比较，不计键的顺序、转义、空白与数字写法（1.0 与 1）"`
	ReplyTo          strict.ID      `json:"reply_to" en:"a msg_id of this conversation" zh:"回复的 msg_id"`
	MarkRead         strict.Flag    `json:"mark_read" en:"1, by the backend only: marks all earlier messages as read by the sender; a client that sends always reads them" zh:"服务端代发时为 1：发送者视为已读此前消息；客户端自己发送始终视为已读"`
	DeviceID         strict.ID      `json:"device_id" en:"this device of the sender does not receive the message" zh:"该设备不接收实时副本"`
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
	ConvID    strict.ID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	AfterSeq  *int64    `json:"after_seq" en:"messages after this seq, oldest first" zh:"返回该 seq 之后的消息，从旧到新"`
	BeforeSeq *int64    `json:"before_seq" en:"messages before this seq, newest first" zh:"返回该 seq 之前的消息，从新到旧"`
	Limit     *int64    `json:"limit" en:"with after_seq or before_seq: 1..200, default 50" zh:"配合 after_seq、before_seq：1..200，默认 50"`
	Page      *int64    `json:"page" en:"from 1, newest first" zh:"页码，从 1 开始，从新到旧"`
	Size      *int64    `json:"size" en:"1..100, default 10" zh:"每页条数，1..100，默认 10"`
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

// ByPage is the page that the request names.
func (r ListMessages) ByPage() (wire.PageRequest, error) {
	return Paging{Page: r.Page, Size: r.Size}.Parse(MessagePageSize, cursor.Seal{}) // has no cursors
}

// Message names one message.
type Message struct {
	ConvID strict.ID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	MsgID  strict.ID `json:"msg_id" need:"1" en:"the message" zh:"消息 id"`
}

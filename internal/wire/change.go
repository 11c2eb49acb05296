package wire

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// EditMessage is the request of msg.edit.
type EditMessage struct {
	MessageRequest

	Text             *string        `json:"text" prose:"1" en:"the new text, rules as in msg.send; absent: stays" zh:"新文本，规则同 msg.send；省略则不变"`
	Attr             jsontext.Value `json:"attr" en:"the new attr; null takes it away; absent: stays" zh:"新扩展；null 为清除；省略则不变"`
	MentionAll       *Flag          `json:"mention_all" en:"1 mentions everyone, 0 no more, rules as in msg.send; absent: stays" zh:"1 @全体成员，0 取消，规则同 msg.send；省略则不变"`
	MentionClientIDs GivenIDs       `json:"mention_client_ids" en:"the clients that it mentions from now on, at most 100; null or an empty list: none; absent: stays" zh:"改为 @ 这些用户，最多 100 个；null 或空列表为清除；省略则不变"`
	ExpectedVersion  *int64         `json:"expected_version" en:"4013 unless the message has this version" zh:"消息不是该版本时返回 4013"`
}

// Edit is what is to become of a message's body.
type Edit struct {
	Text       *string // nil: stays as it is, as all below
	Attr       []byte  // with SetAttr; nil: none
	SetAttr    bool
	MentionAll *bool
	Mentions   *[]string // each id once
	Version    *int64    // the edit is of this version alone; nil: of any
}

// Edit is what the request asks for; relaxed is the app's rule for client ids. Errors:
// skein.ErrMissing, skein.ErrMalformed, skein.ErrInvalidClientID.
func (r EditMessage) Edit(relaxed bool) (e Edit, err error) {
	if r.Text == nil && r.Attr == nil && r.MentionAll == nil && !r.MentionClientIDs.Given {
		return e, &skein.Fault{Err: skein.ErrMissing, Detail: "text, attr, mention_all or mention_client_ids"}
	}
	if r.ExpectedVersion != nil && *r.ExpectedVersion < 1 {
		return e, skein.Malformed("expected_version", "must be at least 1")
	}
	e = Edit{Text: r.Text, SetAttr: r.Attr != nil, MentionAll: (*bool)(r.MentionAll), Version: r.ExpectedVersion}
	if e.Attr, err = attrOf(r.Attr); err != nil || !r.MentionClientIDs.Given {
		return e, err
	}
	mentions, err := ClientIDs("mention_client_ids", r.MentionClientIDs.IDs, skein.MaxMentions, relaxed)
	e.Mentions = &mentions
	return e, err
}

// HideMessage is the request of msg.delete.
type HideMessage struct {
	MessageRequest

	ClientID ClientID `json:"client_id" en:"for whom; a client may leave itself out" zh:"为谁删除；客户端调用时可省略"`
}

// ReactMessage is the request of msg.react.
type ReactMessage struct {
	MessageRequest

	Emoji    string   `json:"emoji" need:"1" en:"one emoji of up to 64 bytes, or a name such as thumbs_up of up to 32, without spaces and control characters" zh:"一个表情（最多 64 字节），或 thumbs_up 之类的名称（最多 32 字节），不含空格与控制字符"`
	On       *Flag    `json:"on" en:"1 sets it (default), 0 takes it away" zh:"1 添加（默认），0 取消"`
	ClientID ClientID `json:"client_id" en:"the client; a client may leave itself out" zh:"用户；客户端调用时可省略"`
}

// PinMessage is the request of msg.pin.
type PinMessage struct {
	MessageRequest

	On *Flag `json:"on" en:"1 pins it (default), 0 takes the pin away" zh:"1 置顶（默认），0 取消"`
}

// ListChanges is the request of changes.
type ListChanges struct {
	ConvID      ClientID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	AfterChange *int64   `json:"after_change" en:"changes after this change_seq; default 0" zh:"返回该 change_seq 之后的变更，默认 0"`
	Limit       *int64   `json:"limit" en:"1..200, default 50" zh:"1..200，默认 50"`
}

// Bounds checks the request. Errors: skein.ErrMalformed.
func (r ListChanges) Bounds() (after int64, limit int, err error) {
	if r.AfterChange != nil {
		after = *r.AfterChange
	}
	if after < 0 {
		return 0, 0, skein.Malformed("after_change", "must be at least 0")
	}
	limit, err = limitOf("limit", r.Limit, DefaultLimit)
	return after, limit, err
}

// Change is what became of a message.
type Change struct {
	ConvID    skein.ID  `json:"conv_id" en:"the conversation" zh:"会话 id"`
	ChangeSeq int64     `json:"change_seq" en:"place among the changes of the conversation, from 1, without gaps" zh:"会话内变更序号，从 1 起连续"`
	Kind      string    `json:"kind" en:"edit, recall, react, pin, delete (for me alone), or none: a change that you may not see" zh:"edit 编辑、recall 撤回、react 表情、pin 置顶、delete 仅为我删除、none 不可见"`
	MsgID     *skein.ID `json:"msg_id" en:"the message; null where kind is none" zh:"消息 id；none 时为 null"`
	Seq       *int64    `json:"seq" en:"its seq; null where kind is none" zh:"消息 seq；none 时为 null"`
	ClientID  *string   `json:"client_id" en:"who did it; null: the app's backend, or none" zh:"操作者；服务端操作或 none 时为 null"`
	Time      int64     `json:"time" en:"Unix ms" zh:"Unix 毫秒"`
	Emoji     string    `json:"emoji,omitzero" en:"react: which" zh:"react 的表情"`
	On        *Flag     `json:"on,omitzero" en:"react, pin: 1 set, 0 taken away" zh:"react、pin：1 添加，0 取消"`
	Message   *Message  `json:"message" en:"as it is now; null where kind is none" zh:"消息当前内容；none 时为 null"`
}

// ChangeOf writes a change of a conversation; it shares c's bytes.
func ChangeOf(conv skein.ID, c *skein.Change) Change {
	out := Change{ConvID: conv, ChangeSeq: c.Seq, Kind: c.Kind.String(), Time: int64(c.At)}
	if c.Kind == skein.ChangeNone {
		return out
	}
	out.MsgID, out.Seq, out.ClientID = &c.Message.ID, &c.Message.Seq, sharedText(&c.By)
	if c.Kind == skein.ChangeReact {
		out.Emoji = c.Emoji
	}
	if c.Kind == skein.ChangeReact || c.Kind == skein.ChangePin {
		on := Flag(c.On)
		out.On = &on
	}
	m := MessageOf(&c.Message)
	out.Message = &m
	return out
}

// AppendJSON appends the change, the same bytes as its tags say (FuzzMessageJSON).
func (c Change) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"conv_id":"`...)
	dst, _ = c.ConvID.AppendText(dst)
	dst = append(dst, `","change_seq":`...)
	dst = strconv.AppendInt(dst, c.ChangeSeq, 10)
	dst = appendQuote(append(dst, `,"kind":`...), c.Kind)
	dst = appendOptionalID(append(dst, `,"msg_id":`...), c.MsgID)
	dst = appendOptionalInt(append(dst, `,"seq":`...), c.Seq)
	dst = appendOptionalText(append(dst, `,"client_id":`...), c.ClientID)
	dst = append(dst, `,"time":`...)
	dst = strconv.AppendInt(dst, c.Time, 10)
	if c.Emoji != "" {
		dst = appendQuote(append(dst, `,"emoji":`...), c.Emoji)
	}
	if c.On != nil {
		dst = appendFlag(append(dst, `,"on":`...), *c.On)
	}
	dst = append(dst, `,"message":`...)
	if c.Message == nil {
		return append(dst, "null}"...)
	}
	return append(c.Message.AppendJSON(dst), '}')
}

// AppendUpdate appends the frame of msg.updated.
func AppendUpdate(dst []byte, conv skein.ID, c *skein.Change) []byte {
	dst = append(dst, `{"type":"`+skein.EventMessageUpdated+`","data":`...)
	return append(ChangeOf(conv, c).AppendJSON(dst), '}')
}

// Changes is the answer of changes.
type Changes struct {
	Data       []Change `json:"data" en:"oldest first" zh:"变更，从旧到新"`
	HasMore    bool     `json:"has_more" en:"whether more follow" zh:"之后是否还有"`
	LastChange int64    `json:"last_change" en:"change_seq of the newest change there is; 0: none" zh:"最新变更的 change_seq；没有为 0"`
}

// NewChanges is an answer of changes of one conversation.
func NewChanges(conv skein.ID, changes []skein.Change, more bool, last int64) Changes {
	return Changes{changesOf(conv, changes), more, last}
}

// AppendJSON appends the answer.
func (c Changes) AppendJSON(dst []byte) []byte {
	dst = appendChanges(append(dst, `{"data":`...), c.Data)
	dst = append(dst, `,"has_more":`...)
	dst = strconv.AppendBool(dst, c.HasMore)
	dst = append(dst, `,"last_change":`...)
	dst = strconv.AppendInt(dst, c.LastChange, 10)
	return append(dst, '}')
}

func changesOf(conv skein.ID, in []skein.Change) []Change {
	out := make([]Change, len(in))
	for i := range in {
		out[i] = ChangeOf(conv, &in[i])
	}
	return out
}

func appendChanges(dst []byte, changes []Change) []byte {
	dst = append(dst, '[')
	for i, c := range changes {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = c.AppendJSON(dst)
	}
	return append(dst, ']')
}

package wire

import (
	"strconv"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Change is one change of a message.
type Change struct {
	ConvID    skein.ID     `json:"conv_id" en:"the conversation" zh:"会话 id"`
	ChangeSeq int64        `json:"change_seq" en:"number of the change in its conversation, from 1, without gaps" zh:"会话内变更序号，从 1 起连续"`
	Kind      string       `json:"kind" en:"edit, recall, react, pin, delete (for yourself only), or none: a change that you may not see" zh:"edit 编辑、recall 撤回、react 表情、pin 置顶、delete 仅为我删除、none 不可见"`
	MsgID     *skein.ID    `json:"msg_id" en:"the message; null if kind is none" zh:"消息 id；none 时为 null"`
	Seq       *int64       `json:"seq" en:"seq of the message; null if kind is none" zh:"消息 seq；none 时为 null"`
	ClientID  *string      `json:"client_id" en:"the client that made the change; null: the backend, or kind is none" zh:"操作者；服务端操作或 none 时为 null"`
	Time      int64        `json:"time" en:"Unix ms" zh:"Unix 毫秒"`
	Emoji     string       `json:"emoji,omitzero" en:"react: the emoji" zh:"react 的表情"`
	On        *strict.Flag `json:"on,omitzero" en:"react, pin: 1 added, 0 removed" zh:"react、pin：1 添加，0 取消"`
	Message   *Message     `json:"message" en:"the message as it is now; null if kind is none" zh:"消息当前内容；none 时为 null"`
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
		on := strict.Flag(c.On)
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
	dst = strict.AppendQuote(append(dst, `,"kind":`...), c.Kind)
	dst = appendOptionalID(append(dst, `,"msg_id":`...), c.MsgID)
	dst = strict.AppendOptionalInt(append(dst, `,"seq":`...), c.Seq)
	dst = strict.AppendOptionalText(append(dst, `,"client_id":`...), c.ClientID)
	dst = append(dst, `,"time":`...)
	dst = strconv.AppendInt(dst, c.Time, 10)
	if c.Emoji != "" {
		dst = strict.AppendQuote(append(dst, `,"emoji":`...), c.Emoji)
	}
	if c.On != nil {
		dst = strict.AppendFlag(append(dst, `,"on":`...), *c.On)
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

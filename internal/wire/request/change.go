package request

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// EditMessage is the request of msg.edit.
type EditMessage struct {
	Message

	Text             *string                     `json:"text" prose:"1" en:"the new text, rules as in msg.send; absent: unchanged" zh:"新文本，规则同 msg.send；省略则不变"`
	Attr             jsontext.Value              `json:"attr" en:"the new attr; null removes it; absent: unchanged" zh:"新扩展；null 为清除；省略则不变"`
	MentionAll       *strict.Flag                `json:"mention_all" en:"1 mentions everyone, 0 ends that, rules as in msg.send; absent: unchanged" zh:"1 @全体成员，0 取消，规则同 msg.send；省略则不变"`
	MentionClientIDs strict.GivenList[strict.ID] `json:"mention_client_ids" en:"the clients to mention instead, at most 100; null or an empty list: none; absent: unchanged" zh:"改为 @ 这些用户，最多 100 个；null 或空列表为清除；省略则不变"`
	ExpectedVersion  *int64                      `json:"expected_version" en:"fails with 4013 if the message has another version" zh:"消息不是该版本时返回 4013"`
}

// Edit is the change of a message's body.
type Edit struct {
	Text       *string // nil: stays as it is, as all below
	Attr       []byte  // with SetAttr; nil: none
	SetAttr    bool
	MentionAll *bool
	Mentions   *[]string // each id once
	Version    *int64    // the version that the message must have; nil: any
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
	mentions, err := ClientIDs("mention_client_ids", r.MentionClientIDs.List, skein.MaxMentions, relaxed)
	e.Mentions = &mentions
	return e, err
}

// HideMessage is the request of msg.delete.
type HideMessage struct {
	Message

	ClientID strict.ID `json:"client_id" en:"for which client; a client that calls for itself may omit it" zh:"为谁删除；客户端调用时可省略"`
}

// ReactMessage is the request of msg.react.
type ReactMessage struct {
	Message

	Emoji    string       `json:"emoji" need:"1" en:"one emoji of up to 64 bytes, or a name such as thumbs_up of up to 32, without spaces and control characters" zh:"一个表情（最多 64 字节），或 thumbs_up 之类的名称（最多 32 字节），不含空格与控制字符"`
	On       *strict.Flag `json:"on" en:"1 adds it (default), 0 removes it" zh:"1 添加（默认），0 取消"`
	ClientID strict.ID    `json:"client_id" en:"the client; a client that calls for itself may omit it" zh:"用户；客户端调用时可省略"`
}

// PinMessage is the request of msg.pin.
type PinMessage struct {
	Message

	On *strict.Flag `json:"on" en:"1 pins it (default), 0 unpins it" zh:"1 置顶（默认），0 取消"`
}

// ListChanges is the request of changes.
type ListChanges struct {
	ConvID      strict.ID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	AfterChange *int64    `json:"after_change" en:"changes after this change_seq; default 0" zh:"返回该 change_seq 之后的变更，默认 0"`
	Limit       *int64    `json:"limit" en:"1..200, default 50" zh:"1..200，默认 50"`
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

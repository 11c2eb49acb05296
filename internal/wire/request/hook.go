package request

import (
	"cmp"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// HookAnswer is what a before-hook answers.
type HookAnswer struct {
	Verdict string    `json:"verdict" en:"pass, replace or reject; absent: pass" zh:"pass、replace 或 reject；省略为 pass"`
	Reason  string    `json:"reason" en:"of reject: the text for who is refused, at most 1,000 bytes" zh:"reject 时给被拒绝者的文本，最多 1000 字节"`
	Message *HookBody `json:"message" en:"of replace: what becomes of the message" zh:"replace 时的新内容"`
}

// HookBody are the fields of a message that a hook replaces.
type HookBody struct {
	Type             *int64                      `json:"type" en:"as of msg.send; absent: unchanged, as all others" zh:"同 msg.send；省略则不变，其余字段亦然"`
	Text             *string                     `json:"text" prose:"1" en:"as of msg.send" zh:"同 msg.send"`
	Attr             jsontext.Value              `json:"attr" en:"as of msg.send; null removes it" zh:"同 msg.send；null 为清除"`
	URL              *string                     `json:"url" en:"as of msg.send" zh:"同 msg.send"`
	MentionAll       *strict.Flag                `json:"mention_all" en:"as of msg.send" zh:"同 msg.send"`
	MentionClientIDs strict.GivenList[strict.ID] `json:"mention_client_ids" en:"as of msg.send; null removes them" zh:"同 msg.send；null 为清除"`
}

// Of is the body b with the fields replaced; relaxed is the app's rule for client ids. Errors: those of
// SendMessage.Body.
func (r HookBody) Of(b skein.Body, relaxed bool) (skein.Body, error) {
	if r.Type != nil {
		if *r.Type > math.MaxInt32 {
			return b, skein.Malformed("type", "must be -1 to -6, or 1 to 2147483647")
		}
		b.Type = int(*r.Type)
	}
	if r.Text != nil {
		b.Text = *r.Text
	}
	if r.URL != nil {
		b.URL = *r.URL
	}
	if r.MentionAll != nil {
		b.MentionAll = bool(*r.MentionAll)
	}
	var err error
	if r.Attr != nil {
		b.Attr, err = attrOf(r.Attr)
	}
	if r.MentionClientIDs.Given && err == nil {
		b.Mentions, err = ClientIDs("mention_client_ids", r.MentionClientIDs.List, skein.MaxMentions, relaxed)
	}
	if err != nil {
		return b, err
	}
	return b, cmp.Or(b.Fault(), checkLink(b.Type, b.URL))
}

package wire

import (
	"strconv"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// RangeAnswer is the answer to one range: its content, or a refusal.
type RangeAnswer struct {
	ConvID string `json:"conv_id" en:"as in the request" zh:"所请求的会话 id"`

	*RangeContent
	*Refusal
}

// RangeContent is what is new in one conversation.
type RangeContent struct {
	Data        []Message `json:"data" en:"the messages, oldest first" zh:"消息，从旧到新"`
	HasMore     bool      `json:"has_more" en:"whether more messages follow" zh:"之后是否还有消息"`
	LastSeq     int64     `json:"last_seq" en:"seq of the newest message; 0: none" zh:"最新消息的 seq；没有为 0"`
	FloorSeq    int64     `json:"floor_seq" en:"you do not see messages up to this seq: you cleared them, or history is private and they were sent before you joined" zh:"该 seq 及之前的消息不可见：已清空，或历史私有时加入之前的消息"`
	Changes     []Change  `json:"changes" en:"oldest first" zh:"变更，从旧到新"`
	MoreChanges bool      `json:"more_changes" en:"whether more changes follow" zh:"之后是否还有变更"`
	LastChange  int64     `json:"last_change" en:"change_seq of the newest change; 0: none" zh:"最新变更的 change_seq；没有为 0"`
}

// Refusal is the error of one conversation of many. The answer then has no other fields
// but conv_id.
type Refusal struct {
	Code    int    `json:"code" en:"only with message and conv_id: 4004 or 4011" zh:"仅与 message 一起返回：4004 或 4011"`
	Message string `json:"message" en:"the text of the code" zh:"错误信息"`
}

// NewRangeAnswer answers a range.
func NewRangeAnswer(conv skein.ID, c RangeContent) RangeAnswer {
	return RangeAnswer{ConvID: conv.String(), RangeContent: &c}
}

// NewRangeRefusal answers a range with an error, in a language.
func NewRangeRefusal(conv strict.ID, err error, lang Lang) RangeAnswer {
	return RangeAnswer{ConvID: string(conv), Refusal: refusalOf(err, lang)}
}

func refusalOf(err error, lang Lang) *Refusal { return &Refusal{CodeOf(err).Code, Text(err, lang)} }

// FillMessages sets the messages and what follows them.
func (c *RangeContent) FillMessages(messages []skein.Message, more bool) {
	c.Data, c.HasMore = messagesOf(messages), more
}

// FillChanges sets the changes of a conversation and what follows them.
func (c *RangeContent) FillChanges(conv skein.ID, changes []skein.Change, more bool, last int64) {
	c.Changes, c.MoreChanges, c.LastChange = changesOf(conv, changes), more, last
}

// AppendJSON appends the answer, the same bytes as its tags say (FuzzMessageJSON).
func (a RangeAnswer) AppendJSON(dst []byte) []byte {
	dst = strict.AppendQuote(append(dst, `{"conv_id":`...), a.ConvID)
	if a.RangeContent != nil {
		dst = a.RangeContent.appendFields(dst)
	}
	if a.Refusal != nil {
		dst = append(dst, `,"code":`...)
		dst = strconv.AppendInt(dst, int64(a.Code), 10)
		dst = strict.AppendQuote(append(dst, `,"message":`...), a.Message)
	}
	return append(dst, '}')
}

func (c *RangeContent) appendFields(dst []byte) []byte {
	dst = appendMessages(append(dst, `,"data":`...), c.Data)
	dst = append(dst, `,"has_more":`...)
	dst = strconv.AppendBool(dst, c.HasMore)
	dst = append(dst, `,"last_seq":`...)
	dst = strconv.AppendInt(dst, c.LastSeq, 10)
	dst = append(dst, `,"floor_seq":`...)
	dst = strconv.AppendInt(dst, c.FloorSeq, 10)
	dst = appendChanges(append(dst, `,"changes":`...), c.Changes)
	dst = append(dst, `,"more_changes":`...)
	dst = strconv.AppendBool(dst, c.MoreChanges)
	dst = append(dst, `,"last_change":`...)
	return strconv.AppendInt(dst, c.LastChange, 10)
}

// RangeAnswers is the answer of msg.ranges, in the order asked.
type RangeAnswers []RangeAnswer

// AppendJSON appends the list.
func (a RangeAnswers) AppendJSON(dst []byte) []byte {
	dst = append(dst, '[')
	for i, one := range a {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one.AppendJSON(dst)
	}
	return append(dst, ']')
}

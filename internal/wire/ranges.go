package wire

import (
	"strconv"

	"github.com/skein-im/skein"
)

// MaxRanges bounds the ranges of one msg.ranges.
const MaxRanges = 200

// MessageRanges is the request of msg.ranges.
type MessageRanges struct {
	Ranges   []Range  `json:"ranges" need:"1" bare:"1" en:"1..200 of them; the list may also stand alone, without the object around it" zh:"1..200 个；也可直接传列表"`
	ClientID ClientID `json:"client_id" en:"the client that this is about; a client may leave itself out" zh:"以谁的身份读取；客户端调用时可省略"`
}

// Range asks for what is new in one conversation.
type Range struct {
	ConvID      ClientID `json:"conv_id" en:"the conversation" zh:"会话 id"`
	AfterSeq    *int64   `json:"after_seq,omitzero" en:"messages after this seq; absent: none" zh:"返回该 seq 之后的消息；省略则不返回消息"`
	AfterChange *int64   `json:"after_change,omitzero" en:"changes after this change_seq; absent: none" zh:"返回该 change_seq 之后的变更；省略则不返回变更"`
	Limit       *int64   `json:"limit,omitzero" en:"1..200 of each, default 50" zh:"消息与变更各 1..200 条，默认 50"`
}

// Check holds the request to its bounds. Errors: skein.ErrMissing,
// skein.ErrMalformed naming the field.
func (r MessageRanges) Check() error {
	if len(r.Ranges) == 0 {
		return skein.Missing("ranges")
	}
	if len(r.Ranges) > MaxRanges {
		return skein.Malformed("ranges", "at most 200")
	}
	for i, one := range r.Ranges {
		if err := one.check("ranges." + strconv.Itoa(i) + "."); err != nil {
			return err
		}
	}
	return nil
}

func (r Range) check(prefix string) error {
	switch {
	case r.ConvID == "":
		return skein.Missing(prefix + "conv_id")
	case r.AfterSeq != nil && *r.AfterSeq < 0:
		return skein.Malformed(prefix+"after_seq", "must be at least 0")
	case r.AfterChange != nil && *r.AfterChange < 0:
		return skein.Malformed(prefix+"after_change", "must be at least 0")
	}
	_, err := limitOf(prefix+"limit", r.Limit, DefaultLimit)
	return err
}

// Most is the limit of a range that has been checked.
func (r Range) Most() int {
	n, _ := limitOf("", r.Limit, DefaultLimit)
	return n
}

// RangeAnswer is the answer to one range: what there is, or why nothing is said.
type RangeAnswer struct {
	ConvID string `json:"conv_id" en:"as asked" zh:"所请求的会话 id"`

	*RangeContent
	*Refusal
}

// RangeContent is what is new in one conversation.
type RangeContent struct {
	Data        []Message `json:"data" en:"the messages, oldest first" zh:"消息，从旧到新"`
	HasMore     bool      `json:"has_more" en:"whether more messages follow" zh:"之后是否还有消息"`
	LastSeq     int64     `json:"last_seq" en:"seq of the newest message; 0: none" zh:"最新消息的 seq；没有为 0"`
	FloorSeq    int64     `json:"floor_seq" en:"messages up to this seq are not shown to you: you cleared them, or history is private and they came before you joined" zh:"该 seq 及之前的消息不可见：已清空，或历史私有时加入之前的消息"`
	Changes     []Change  `json:"changes" en:"oldest first" zh:"变更，从旧到新"`
	MoreChanges bool      `json:"more_changes" en:"whether more changes follow" zh:"之后是否还有变更"`
	LastChange  int64     `json:"last_change" en:"change_seq of the newest change; 0: none" zh:"最新变更的 change_seq；没有为 0"`
}

// Refusal is why one conversation of many is not answered. It stands alone beside conv_id.
type Refusal struct {
	Code    int    `json:"code" en:"alone with message: 4004 or 4011" zh:"仅与 message 一起返回：4004 或 4011"`
	Message string `json:"message" en:"the text of the code" zh:"错误信息"`
}

// NewRangeAnswer answers a range.
func NewRangeAnswer(conv skein.ID, c RangeContent) RangeAnswer {
	return RangeAnswer{ConvID: conv.String(), RangeContent: &c}
}

// NewRangeRefusal says in words of a language why a range is not answered.
func NewRangeRefusal(conv ClientID, err error, lang Lang) RangeAnswer {
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
	dst = appendQuote(append(dst, `{"conv_id":`...), a.ConvID)
	if a.RangeContent != nil {
		dst = a.RangeContent.appendFields(dst)
	}
	if a.Refusal != nil {
		dst = append(dst, `,"code":`...)
		dst = strconv.AppendInt(dst, int64(a.Code), 10)
		dst = appendQuote(append(dst, `,"message":`...), a.Message)
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

package request

import (
	"strconv"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// MaxRanges bounds the ranges of one msg.ranges.
const MaxRanges = 200

// MessageRanges is the request of msg.ranges.
type MessageRanges struct {
	Ranges   []Range   `json:"ranges" need:"1" bare:"1" en:"1..200 ranges; the list may also be sent without the object around it" zh:"1..200 个；也可直接传列表"`
	ClientID strict.ID `json:"client_id" en:"the client that reads; a client that calls for itself may omit it" zh:"以谁的身份读取；客户端调用时可省略"`
}

// Range asks for what is new in one conversation.
type Range struct {
	ConvID      strict.ID `json:"conv_id" en:"the conversation" zh:"会话 id"`
	AfterSeq    *int64    `json:"after_seq,omitzero" en:"messages after this seq; absent: none" zh:"返回该 seq 之后的消息；省略则不返回消息"`
	AfterChange *int64    `json:"after_change,omitzero" en:"changes after this change_seq; absent: none" zh:"返回该 change_seq 之后的变更；省略则不返回变更"`
	Limit       *int64    `json:"limit,omitzero" en:"1..200 messages and as many changes, default 50" zh:"消息与变更各 1..200 条，默认 50"`
}

// Check checks the bounds of the request. Errors: skein.ErrMissing,
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

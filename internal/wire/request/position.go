package request

import (
	"math"
	"strconv"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// MovePosition is the request of conv.read and conv.received.
type MovePosition struct {
	ConvID   strict.ID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	Seq      *int64    `json:"seq" en:"up to this seq; never moves back; absent or past the end: all messages" zh:"到该 seq 为止，只前进不后退；省略或超出末尾为全部"`
	ClientID strict.ID `json:"client_id" en:"the client; a client that calls for itself may omit it" zh:"用户 id；客户端调用时可省略"`
}

// To checks the request. Errors: skein.ErrMalformed.
func (r MovePosition) To() (*int64, error) {
	if r.Seq != nil && *r.Seq < 0 {
		return nil, skein.Malformed("seq", "must be at least 0")
	}
	return r.Seq, nil
}

// ListReaders is the request of conv.readers.
type ListReaders struct {
	ConvID strict.ID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	Seq    *int64    `json:"seq" en:"of the message; absent: the newest" zh:"消息的 seq；省略为最新一条"`

	Paging
}

// Of checks which message is asked about. Errors: skein.ErrMalformed.
func (r ListReaders) Of() (*int64, error) {
	if r.Seq != nil && *r.Seq < 1 {
		return nil, skein.Malformed("seq", "must be at least 1")
	}
	return r.Seq, nil
}

// Typing is the request of typing.
type Typing struct {
	ConvID strict.ID    `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	On     *strict.Flag `json:"on" en:"1 types (default), 0 stopped" zh:"0 为停止输入；默认 1"`
}

// MaxReceipts bounds the receipts of one conv.received_many.
const MaxReceipts = 100

// ReceivedMany is the request of conv.received_many.
type ReceivedMany struct {
	ClientID strict.ID `json:"client_id" en:"the client; a client that calls for itself may omit it" zh:"用户 id；客户端调用时可省略"`
	Receipts []Receipt `json:"receipts" need:"1" en:"1..100 receipts" zh:"1..100 个"`
}

// Receipt is up to where one conversation has been received.
type Receipt struct {
	ConvID strict.ID `json:"conv_id" en:"the conversation" zh:"会话 id"`
	Seq    *int64    `json:"seq,omitzero" en:"up to this seq; never moves back; absent or past the end: all messages" zh:"到该 seq 为止，只前进不后退；省略或超出末尾为全部"`
}

// Check checks the request and is its receipts. A text that is not an id becomes the zero
// id, which no conversation has.
// Errors: skein.ErrMissing, skein.ErrMalformed naming the field.
func (r ReceivedMany) Check() ([]skein.Receipt, error) {
	if len(r.Receipts) == 0 {
		return nil, skein.Missing("receipts")
	}
	if len(r.Receipts) > MaxReceipts {
		return nil, skein.Malformed("receipts", "at most 100")
	}
	all := make([]skein.Receipt, len(r.Receipts))
	for i, one := range r.Receipts {
		prefix := "receipts." + strconv.Itoa(i) + "."
		all[i].Seq = math.MaxInt64
		if one.Seq != nil {
			all[i].Seq = *one.Seq
		}
		switch {
		case one.ConvID == "":
			return nil, skein.Missing(prefix + "conv_id")
		case all[i].Seq < 0:
			return nil, skein.Malformed(prefix+"seq", "must be at least 0")
		}
		all[i].Conv, _ = skein.ParseID(string(one.ConvID))
	}
	return all, nil
}

package wire

import (
	"math"
	"strconv"

	"github.com/skein-im/skein"
)

// CountUnread is the request of conv.unread.
type CountUnread struct {
	ClientID ClientID `json:"client_id" en:"the client that this is about; a client may leave itself out" zh:"用户；客户端调用时可省略"`
	Muted    Flag     `json:"muted" en:"1: count the conversations that it muted too; default 0" zh:"1 计入已设免打扰的会话；默认 0"`
}

// UnreadTotal is the answer of conv.unread.
type UnreadTotal struct {
	Unread        int64 `json:"unread" en:"unread of all conversations that count" zh:"计入的会话未读数之和"`
	Mentions      int64 `json:"mentions" en:"mentions of them" zh:"其中 @ 本人或 @全体 的条数"`
	Conversations int   `json:"conversations" en:"in how many of them anything is unread, or that it marked as unread" zh:"有未读消息或被标为未读的会话数"`
}

// UnreadTotalOf writes a total.
func UnreadTotalOf(t skein.UnreadTotal) UnreadTotal {
	return UnreadTotal{Unread: t.Unread, Mentions: t.Mentions, Conversations: t.Conversations}
}

// ReadAll is the request of conv.read_all.
type ReadAll struct {
	ClientID ClientID `json:"client_id" en:"the client that this is about; a client may leave itself out" zh:"用户；客户端调用时可省略"`
}

// AllRead is the answer of conv.read_all.
type AllRead struct {
	Conversations int `json:"conversations" en:"how many had something to read, or were marked as unread" zh:"有内容未读或被标为未读的会话数"`
}

// MaxReceipts bounds the receipts of one conv.received_many.
const MaxReceipts = 100

// ReceivedMany is the request of conv.received_many.
type ReceivedMany struct {
	ClientID ClientID  `json:"client_id" en:"the client that this is about; a client may leave itself out" zh:"用户；客户端调用时可省略"`
	Receipts []Receipt `json:"receipts" need:"1" en:"1..100 of them" zh:"1..100 个"`
}

// Receipt is up to where one conversation has been received.
type Receipt struct {
	ConvID ClientID `json:"conv_id" en:"the conversation" zh:"会话 id"`
	Seq    *int64   `json:"seq,omitzero" en:"up to this seq, forward only; absent or past the end: all" zh:"到该 seq 为止，只前进不后退；省略或超出末尾为全部"`
}

// Check is the receipts that are asked for. What is no id names nothing, as zero does.
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

// Received is the answer to one receipt: where the client stands, or why it was not
// taken.
type Received struct {
	ConvID string `json:"conv_id" en:"as asked" zh:"所请求的会话 id"`

	*ReceivedUpTo
	*Refusal
}

// ReceivedUpTo is how far a client has come in one conversation.
type ReceivedUpTo struct {
	ReadSeq     int64 `json:"read_seq" en:"nothing up to this seq is unread" zh:"已读位置"`
	ReceivedSeq int64 `json:"received_seq" en:"up to where one of its devices has received" zh:"已接收位置"`
}

// ReceivedOf writes where a member stands; err, in words of a language, says why not.
func ReceivedOf(asked ClientID, m skein.Member, err error, lang Lang) Received {
	if err != nil {
		return Received{ConvID: string(asked), Refusal: refusalOf(err, lang)}
	}
	return Received{ConvID: string(asked), ReceivedUpTo: &ReceivedUpTo{ReadSeq: m.Read(), ReceivedSeq: m.Received()}}
}

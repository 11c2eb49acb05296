package wire

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Positions is the answer of conv.read and conv.received.
type Positions struct {
	ConvID      skein.ID `json:"conv_id" en:"the conversation" zh:"会话 id"`
	ReadSeq     int64    `json:"read_seq" en:"no message up to this seq is unread" zh:"已读位置"`
	ReceivedSeq int64    `json:"received_seq" en:"one of the client's devices has received all messages up to this seq" zh:"已接收位置"`
	Unread      int64    `json:"unread" en:"messages after read_seq, except those that were recalled or that the client deleted for itself" zh:"未读数，不含已撤回及本人已删除的消息"`
	Mentions    int64    `json:"mentions" en:"unread messages that mention the client" zh:"未读消息中 @ 本人的条数"`
}

// PositionsOf writes the positions of a member.
func PositionsOf(v skein.View) Positions {
	return Positions{
		ConvID: v.ID, ReadSeq: v.Member.Read(), ReceivedSeq: v.Member.Received(),
		Unread: v.Unread(), Mentions: v.Mentions,
	}
}

// Reader is how far one member has read and received.
type Reader struct {
	ClientID    string `json:"client_id" en:"the member" zh:"成员"`
	ReadSeq     int64  `json:"read_seq" en:"the member has read all messages up to this seq" zh:"已读位置"`
	ReceivedSeq int64  `json:"received_seq" en:"the member has received all messages up to this seq" zh:"已接收位置"`
	HasRead     bool   `json:"has_read" en:"whether it has read the message" zh:"是否已读该消息"`
	HasReceived bool   `json:"has_received" en:"whether it has received the message" zh:"是否已接收该消息"`
}

// ReaderOf writes whether a member has received and read the message with this seq.
func ReaderOf(m skein.Member, seq int64) Reader {
	return Reader{
		ClientID: m.Client, ReadSeq: m.Read(), ReceivedSeq: m.Received(),
		HasRead: m.Read() >= seq, HasReceived: m.Received() >= seq,
	}
}

// ReaderCounts counts the members who have received and read a message.
type ReaderCounts struct {
	Seq      int64 `json:"seq" en:"of the message" zh:"消息的 seq"`
	Members  int   `json:"members" en:"members who had joined by then" zh:"当时已在会话中的成员数"`
	Received int   `json:"received" en:"how many of them have received it" zh:"其中已接收"`
	Read     int   `json:"read" en:"how many of them have read it, the sender included" zh:"其中已读；发送者计入"`
}

// Readers is the answer of conv.readers.
type Readers struct {
	ReaderCounts
	Page[Reader]
}

// ReadPosition is the positions of one member, in the event conv.read.
type ReadPosition struct {
	ClientID    string `json:"client_id" en:"the member" zh:"成员"`
	ReadSeq     int64  `json:"read_seq" en:"the member has read all messages up to this seq" zh:"已读位置"`
	ReceivedSeq int64  `json:"received_seq" en:"one of the client's devices has received all messages up to this seq" zh:"已接收位置"`
}

// ReadEvent is the data of conv.read.
type ReadEvent struct {
	ConvID skein.ID       `json:"conv_id" en:"the conversation" zh:"会话 id"`
	Time   int64          `json:"time" en:"Unix ms" zh:"Unix 毫秒"`
	Reads  []ReadPosition `json:"reads" en:"each member once; keep the greater of each position" zh:"每个成员一条；与已有位置取较大者"`
}

func readEventOf(n skein.Notice) ReadEvent {
	e := ReadEvent{ConvID: n.Conv, Time: int64(n.Time), Reads: make([]ReadPosition, len(n.Positions))}
	for i, p := range n.Positions {
		e.Reads[i] = ReadPosition{ClientID: p.Client, ReadSeq: p.Read, ReceivedSeq: p.Received}
	}
	return e
}

// TypingEvent is the data of the event typing.
type TypingEvent struct {
	ConvID   skein.ID    `json:"conv_id" en:"the conversation" zh:"会话 id"`
	ClientID string      `json:"client_id" en:"the client that types" zh:"正在输入的用户"`
	On       strict.Flag `json:"on" en:"1 types, 0 stopped" zh:"0 为停止输入"`
	Time     int64       `json:"time" en:"Unix ms; it expires after 6 s without another" zh:"Unix 毫秒；6 秒内没有新的事件即视为停止"`
}

func typingEventOf(n skein.Notice) TypingEvent {
	return TypingEvent{ConvID: n.Conv, ClientID: n.By, On: strict.Flag(n.On), Time: int64(n.Time)}
}

// Received is the answer to one receipt: the client's positions, or a refusal.
type Received struct {
	ConvID string `json:"conv_id" en:"as in the request" zh:"所请求的会话 id"`

	*ReceivedUpTo
	*Refusal
}

// ReceivedUpTo is the positions of a client in one conversation.
type ReceivedUpTo struct {
	ReadSeq     int64 `json:"read_seq" en:"no message up to this seq is unread" zh:"已读位置"`
	ReceivedSeq int64 `json:"received_seq" en:"one of the client's devices has received all messages up to this seq" zh:"已接收位置"`
}

// ReceivedOf writes the positions of a member, or err in a language.
func ReceivedOf(asked strict.ID, m skein.Member, err error, lang Lang) Received {
	if err != nil {
		return Received{ConvID: string(asked), Refusal: refusalOf(err, lang)}
	}
	return Received{ConvID: string(asked), ReceivedUpTo: &ReceivedUpTo{ReadSeq: m.Read(), ReceivedSeq: m.Received()}}
}

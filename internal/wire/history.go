package wire

import (
	"slices"
	"strconv"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// FoundMessages is the answer of msg.find.
type FoundMessages struct {
	Data    []Message `json:"data" en:"newest first; with after_seq oldest first" zh:"消息，从新到旧；带 after_seq 时从旧到新"`
	NextSeq *int64    `json:"next_seq" en:"there may be more: ask again with it as before_seq, or as after_seq if you used that, even if data is empty; null: all messages were examined" zh:"可能还有更多：将其作为 before_seq（或你使用的 after_seq）再次请求，即使 data 为空；null 表示已全部查找"`
}

// NewFoundMessages is the answer with what was found.
func NewFoundMessages(found skein.FoundMessages) FoundMessages {
	f := FoundMessages{Data: messagesOf(found.Messages)}
	if found.Next != 0 {
		f.NextSeq = &found.Next
	}
	return f
}

// AppendJSON appends the answer.
func (f FoundMessages) AppendJSON(dst []byte) []byte {
	dst = appendMessages(append(dst, `{"data":`...), f.Data)
	return append(strict.AppendOptionalInt(append(dst, `,"next_seq":`...), f.NextSeq), '}')
}

// MessageList is the answer of msg.list: a page, or messages by seq. A page has all fields
// but has_more, an answer by seq has data and has_more alone.
type MessageList struct {
	CurrentPage int64     `json:"current_page,omitzero" en:"by page: number of this page" zh:"按页：当前页"`
	Data        []Message `json:"data" en:"newest first; with after_seq oldest first" zh:"消息，从新到旧；带 after_seq 时从旧到新"`
	LastPage    int64     `json:"last_page,omitzero" en:"by page: number of the last page, at least 1" zh:"按页：最后一页，至少为 1"`
	PerPage     int       `json:"per_page,omitzero" en:"by page: messages a page" zh:"按页：每页条数"`
	Total       *int64    `json:"total,omitzero" en:"by page: messages in all" zh:"按页：消息总数"`
	HasMore     *bool     `json:"has_more,omitzero" en:"by seq: whether more messages lie beyond" zh:"按 seq：是否还有更多"`
}

// NewMessagePage is the page at a place among total messages.
func NewMessagePage(at PageRequest, messages []skein.Message, total int64) MessageList {
	return MessageList{CurrentPage: at.Page, Data: messagesOf(messages), LastPage: lastPage(total, int64(at.Size)), PerPage: at.Size, Total: &total}
}

// NewMessageSpan is an answer by seq.
func NewMessageSpan(messages []skein.Message, more bool) MessageList {
	return MessageList{Data: messagesOf(messages), HasMore: &more}
}

// AppendJSON appends the answer, the same bytes as its tags say (FuzzMessageJSON).
func (l MessageList) AppendJSON(dst []byte) []byte {
	if l.HasMore != nil {
		dst = appendMessages(append(dst, `{"data":`...), l.Data)
		dst = append(dst, `,"has_more":`...)
		return append(strconv.AppendBool(dst, *l.HasMore), '}')
	}
	dst = append(dst, `{"current_page":`...)
	dst = strconv.AppendInt(dst, l.CurrentPage, 10)
	dst = appendMessages(append(dst, `,"data":`...), l.Data)
	dst = append(dst, `,"last_page":`...)
	dst = strconv.AppendInt(dst, l.LastPage, 10)
	dst = append(dst, `,"per_page":`...)
	dst = strconv.AppendInt(dst, int64(l.PerPage), 10)
	dst = strict.AppendOptionalInt(append(dst, `,"total":`...), l.Total)
	return append(dst, '}')
}

func messagesOf(in []skein.Message) []Message {
	out := make([]Message, len(in))
	for i := range in {
		out[i] = MessageOf(&in[i])
	}
	return out
}

// messageOverhead is about what a message takes beside its text and attr, in bytes.
const messageOverhead = 450

func appendMessages(dst []byte, messages []Message) []byte {
	size := 2
	for _, m := range messages {
		size += messageOverhead + len(m.Attr)
		if m.Text != nil {
			size += len(*m.Text)
		}
	}
	dst = append(slices.Grow(dst, size), '[')
	for i, m := range messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = m.AppendJSON(dst)
	}
	return append(dst, ']')
}

// Messages is a list of messages as an answer.
type Messages []Message

// NewMessages is the answer with these messages.
func NewMessages(messages []skein.Message) Messages { return messagesOf(messages) }

// AppendJSON appends the list.
func (m Messages) AppendJSON(dst []byte) []byte { return appendMessages(dst, m) }

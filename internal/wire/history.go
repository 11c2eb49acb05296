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
	NextSeq *int64    `json:"next_seq" en:"more may follow: ask again with it as before_seq, or as after_seq where you gave that, also where data is empty; null: all was looked at" zh:"可能还有更多：将其作为 before_seq（或你使用的 after_seq）再次请求，即使 data 为空；null 表示已全部查找"`
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

// MessageList is the answer of msg.list as its caller reads it: a MessagePage where
// a page was asked for, a MessageSpan by seq.
type MessageList struct {
	Data        []Message `json:"data" en:"newest first; with after_seq oldest first" zh:"消息，从新到旧；带 after_seq 时从旧到新"`
	HasMore     bool      `json:"has_more,omitzero" en:"by seq: whether more lies beyond" zh:"按 seq：是否还有更多"`
	CurrentPage int64     `json:"current_page,omitzero" en:"by page: this page" zh:"按页：当前页"`
	LastPage    int64     `json:"last_page,omitzero" en:"by page: number of the last page, at least 1" zh:"按页：最后一页，至少为 1"`
	PerPage     int       `json:"per_page,omitzero" en:"by page: messages a page" zh:"按页：每页条数"`
	Total       int64     `json:"total,omitzero" en:"by page: messages in all" zh:"按页：消息总数"`
}

// MessagePage is a page of the history, newest first.
type MessagePage struct {
	CurrentPage int64     `json:"current_page" en:"this page" zh:"当前页"`
	Data        []Message `json:"data" en:"newest first" zh:"消息，从新到旧"`
	LastPage    int64     `json:"last_page" en:"number of the last page, at least 1" zh:"最后一页，至少为 1"`
	PerPage     int       `json:"per_page" en:"messages a page" zh:"每页条数"`
	Total       int64     `json:"total" en:"messages in all" zh:"消息总数"`
}

// NewMessagePage is the page at a place among total messages.
func NewMessagePage(at Place, messages []skein.Message, total int64) MessagePage {
	return MessagePage{at.Page, messagesOf(messages), lastPage(total, int64(at.Size)), at.Size, total}
}

// AppendJSON appends the page.
func (p MessagePage) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"current_page":`...)
	dst = strconv.AppendInt(dst, p.CurrentPage, 10)
	dst = appendMessages(append(dst, `,"data":`...), p.Data)
	dst = append(dst, `,"last_page":`...)
	dst = strconv.AppendInt(dst, p.LastPage, 10)
	dst = append(dst, `,"per_page":`...)
	dst = strconv.AppendInt(dst, int64(p.PerPage), 10)
	dst = append(dst, `,"total":`...)
	dst = strconv.AppendInt(dst, p.Total, 10)
	return append(dst, '}')
}

// MessageSpan is an answer by seq.
type MessageSpan struct {
	Data    []Message `json:"data" en:"oldest first after_seq, newest first before_seq" zh:"after_seq 从旧到新，before_seq 从新到旧"`
	HasMore bool      `json:"has_more" en:"whether more lies beyond" zh:"是否还有更多"`
}

// NewMessageSpan is an answer by seq.
func NewMessageSpan(messages []skein.Message, more bool) MessageSpan {
	return MessageSpan{messagesOf(messages), more}
}

// AppendJSON appends the span.
func (s MessageSpan) AppendJSON(dst []byte) []byte {
	dst = appendMessages(append(dst, `{"data":`...), s.Data)
	dst = append(dst, `,"has_more":`...)
	dst = strconv.AppendBool(dst, s.HasMore)
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

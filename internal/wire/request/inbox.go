package request

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/cursor"
	"github.com/skein-im/skein/internal/wire/strict"
)

// DefaultSync is the default limit of sync; MaxLimit is the largest.
const DefaultSync = 100

// Sync is the request of sync.
type Sync struct {
	ClientID strict.ID `json:"client_id" en:"the client; a client that calls for itself may omit it" zh:"用户 id；客户端调用时可省略"`
	Cursor   string    `json:"cursor" en:"next_cursor of the previous answer; absent: from the beginning" zh:"上一次返回的 next_cursor；省略为从头开始"`
	Limit    *int64    `json:"limit" en:"conversations, 1..200, default 100; a page of about 1 MiB ends earlier" zh:"会话数，1..200，默认 100；约 1 MiB 时提前结束"`
}

// Parse checks the request, whose cursor has the seal. Errors: skein.ErrMalformed
// naming the field.
func (r Sync) Parse(seal cursor.Seal) (after skein.SyncCursor, limit int, err error) {
	limit, err = limitOf("limit", r.Limit, DefaultSync)
	if err != nil || r.Cursor == "" {
		return after, limit, err
	}
	after, err = cursor.ParseSync(r.Cursor, seal)
	return after, limit, err
}

// CountUnread is the request of conv.unread.
type CountUnread struct {
	ClientID strict.ID   `json:"client_id" en:"the client; a client that calls for itself may omit it" zh:"用户 id；客户端调用时可省略"`
	Muted    strict.Flag `json:"muted" en:"1: muted conversations count too; default 0" zh:"1 计入已设免打扰的会话；默认 0"`
}

// ReadAll is the request of conv.read_all.
type ReadAll struct {
	ClientID strict.ID `json:"client_id" en:"the client; a client that calls for itself may omit it" zh:"用户 id；客户端调用时可省略"`
}

// ListInbox is the request of conv.list.
type ListInbox struct {
	ClientID strict.ID   `json:"client_id" en:"the client; a client that calls for itself may omit it" zh:"用户 id；客户端调用时可省略"`
	Archived strict.Flag `json:"archived" en:"1: archived conversations; 0: the others (default)" zh:"1 返回已归档的会话，否则返回其余会话"`

	Paging
}

// MarkConversation is the request of conv.mark. Absent fields do not change.
type MarkConversation struct {
	ClientID   strict.ID        `json:"client_id" en:"the client; a client that calls for itself may omit it" zh:"用户 id；客户端调用时可省略"`
	ConvID     strict.ID        `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	Pin        *strict.Flag     `json:"pin" en:"1: pinned to the top of the list" zh:"1 置顶"`
	Mute       *strict.Flag     `json:"mute" en:"1: no notifications" zh:"1 免打扰"`
	Archive    *strict.Flag     `json:"archive" en:"1: archived, not in the list" zh:"1 归档，不在列表中显示"`
	UnreadMark *strict.Flag     `json:"unread_mark" en:"1: marked as unread, as a reminder; conv.read clears it" zh:"1 标为未读，以便稍后再看；conv.read 会清除"`
	Draft      strict.GivenText `json:"draft" prose:"1" en:"draft of a message, at most 4 KiB; null or empty removes it" zh:"草稿，最大 4 KiB；null 或空为清除"`
	ClearToSeq *int64           `json:"clear_to_seq" en:"hides the history up to this seq from this client; past the end: all of it" zh:"清除该 seq 及之前的历史，仅对本人；超出末尾为全部"`
}

// Given reports whether anything is marked, and checks it. Errors:
// skein.ErrMissing, skein.ErrMalformed.
func (r MarkConversation) Given() error {
	switch {
	case r.Pin == nil && r.Mute == nil && r.Archive == nil && r.UnreadMark == nil && !r.Draft.Given && r.ClearToSeq == nil:
		return &skein.Fault{Err: skein.ErrMissing, Detail: "pin, mute, archive, unread_mark, draft or clear_to_seq"}
	case len(r.Draft.Text) > skein.MaxDraft:
		return skein.Malformed("draft", "at most 4 KiB")
	case r.ClearToSeq != nil && *r.ClearToSeq < 0:
		return skein.Malformed("clear_to_seq", "must be at least 0")
	}
	return nil
}

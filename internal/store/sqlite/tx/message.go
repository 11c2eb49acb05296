package tx

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// NextMessage is the key of the next message. Keys ascend in commit order and are never used
// twice, because readers of the feed rely on both.
func (g *Group) NextMessage() (int64, error) {
	if g.Known.NextMessage == 0 {
		_, err := g.Row(func(r *sqlite3.Stmt) { g.Known.NextMessage = r.ColumnInt64(0) + 1 },
			`SELECT max(message_key, coalesce((SELECT max(message_key) FROM messages), 0)) FROM history`)
		if err != nil {
			return 0, err
		}
	}
	return g.Known.NextMessage, nil
}

// HiddenFrom begins an SQL condition that is true if a client deleted message m for itself.
// The client's parameter and a closing parenthesis must follow.
const HiddenFrom = `EXISTS (SELECT 1 FROM hidden h WHERE h.conv_key = m.conv_key AND h.seq = m.seq AND h.client_id = `

// Bits of the flags column.
const (
	FlagMentionAll = 1 << iota
	FlagNoSync
	FlagServer   // sent with the server role
	_            // no longer used: a former holder of the sender's id sent it
	FlagImported // not in the feed
)

// FlagsOf is the value of column flags for a draft.
func FlagsOf(d skein.Draft) int {
	flags := MentionAllFlag(d.Body)
	if d.NoSync {
		flags |= FlagNoSync
	}
	if d.Need == skein.NeedServer {
		flags |= FlagServer
	}
	return flags
}

// MentionAllFlag is the only flag that an edit may change.
func MentionAllFlag(b skein.Body) int {
	if b.MentionAll {
		return FlagMentionAll
	}
	return 0
}

// MessageColumns are what ReadMessage reads, in its order.
const (
	MessageColumns = `seq, id, sender, client_msg_id, type, status, flags, created, updated,
		reply_to, mentions, url, attr, text, version, changed, pinned, reactions`
	MessageColumnCount = 18
)

// ReadMessage copies one row of MessageColumns.
func ReadMessage(r *sqlite3.Stmt, conv skein.ID) skein.Message {
	flags := r.ColumnInt64(6)
	return skein.Message{
		Conv:        conv,
		Seq:         r.ColumnInt64(0),
		ID:          engine.ID(r, 1),
		Sender:      r.ColumnText(2),
		ClientMsgID: r.ColumnText(3),
		Status:      engine.Small[skein.Status](r, 5),
		Created:     engine.Millis(r, 7),
		Updated:     engine.Millis(r, 8),
		Body: skein.Body{
			Type:       int(r.ColumnInt64(4)),
			MentionAll: flags&FlagMentionAll != 0,
			NoSync:     flags&FlagNoSync != 0,
			ReplyTo:    engine.ID(r, 9),
			Mentions:   mentionsColumn(r, 10),
			URL:        r.ColumnText(11),
			Attr:       slices.Clone(r.ColumnRawText(12)),
			Text:       r.ColumnText(13),
		},
		Version:   int(r.ColumnInt64(14)),
		Changed:   r.ColumnInt64(15),
		Pinned:    engine.Millis(r, 16),
		Reactions: reactionsColumn(r, 17),
	}
}

// ReadSeen is ReadMessage, blanked if the next column says that the viewer deleted the
// message for itself.
func ReadSeen(r *sqlite3.Stmt, conv skein.ID) skein.Message {
	m := ReadMessage(r, conv)
	if r.ColumnBool(MessageColumnCount) {
		m.Blank(skein.StatusDeleted)
	}
	return m
}

// MentionsJSON is the list as it is stored; nil: none.
func MentionsJSON(ids []string) []byte {
	if len(ids) == 0 {
		return nil
	}
	list, _ := json.Marshal(ids) //nolint:errchkjson // a list of texts
	return list
}

// mentionsColumn reads the list that MentionsJSON wrote. A list that cannot be decoded is
// dropped, so that the message stays readable.
func mentionsColumn(r *sqlite3.Stmt, col int) []string {
	raw := r.ColumnRawText(col)
	if len(raw) == 0 {
		return nil
	}
	var ids []string
	if err := json.Unmarshal(raw, &ids); err != nil {
		return nil
	}
	return ids
}

// TextOrNull is NULL for an empty text.
func TextOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// IDOrNull is NULL for the zero ID.
func IDOrNull(id skein.ID) any {
	if id.IsZero() {
		return nil
	}
	return id
}

// EncodeReactions is the column of the summary; nil: none.
func EncodeReactions(list []skein.Reaction) (engine.RawText, error) {
	if len(list) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(list) //nolint:musttag // the domain has no tags; TestStoredReactions holds the names
	if err != nil {
		return nil, fmt.Errorf("encode reactions: %w", err)
	}
	return text, nil
}

// reactionsColumn reads the summary of a message's reactions. A summary that cannot be decoded
// is dropped, so that the message stays readable.
func reactionsColumn(r *sqlite3.Stmt, col int) []skein.Reaction {
	raw := r.ColumnRawText(col)
	if len(raw) == 0 {
		return nil
	}
	var list []skein.Reaction
	if err := json.Unmarshal(raw, &list); err != nil { //nolint:musttag // as above
		return nil
	}
	return list
}

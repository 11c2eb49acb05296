package tx

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// NextMessage is the key for the next message. Keys ascend in commit order and are
// never given twice: readers of the feed go by them.
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

// HiddenFrom is, with a client behind it, whether that client deleted message m for
// itself.
const HiddenFrom = `EXISTS (SELECT 1 FROM hidden h WHERE h.conv_key = m.conv_key AND h.seq = m.seq AND h.client_id = `

// Bits of the flags column.
const (
	FlagMentionAll = 1 << iota
	FlagNoSync
	FlagServer   // sent with the server role
	_            // not used any more: a former holder of the sender's id sent it
	FlagImported // the feed does not tell of it
)

// FlagsOf is the column flags of a draft.
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

// MentionAllFlag is the one flag of a message that an edit may change.
func MentionAllFlag(b skein.Body) int {
	if b.MentionAll {
		return FlagMentionAll
	}
	return 0
}

// messageColumns are what readMessage reads, in its order.
const (
	MessageColumns = `seq, id, sender, client_msg_id, type, status, flags, created, updated,
		reply_to, mentions, url, attr, text, version, changed, pinned, reactions`
	MessageColumnCount = 18
)

// ReadMessage copies one row of messageColumns.
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

// ReadSeen is readMessage, blank where the column behind says that the viewer
// deleted it for itself.
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

// mentionsColumn reads the list that mentionsJSON wrote. One that cannot be read is
// none: the message is worth more than its mentions.
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

// reactionsColumn reads the summary of a message's reactions. One that cannot be
// read is none: the message is worth more.
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

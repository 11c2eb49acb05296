package tx

import (
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
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
			MentionAll: flags&rows.FlagMentionAll != 0,
			NoSync:     flags&rows.FlagNoSync != 0,
			ReplyTo:    engine.ID(r, 9),
			Mentions:   rows.DecodeMentions(r.ColumnRawText(10)),
			URL:        r.ColumnText(11),
			Attr:       slices.Clone(r.ColumnRawText(12)),
			Text:       r.ColumnText(13),
		},
		Version:   int(r.ColumnInt64(14)),
		Changed:   r.ColumnInt64(15),
		Pinned:    engine.Millis(r, 16),
		Reactions: rows.DecodeReactions(r.ColumnRawText(17)),
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
	return rows.EncodeReactions(list)
}

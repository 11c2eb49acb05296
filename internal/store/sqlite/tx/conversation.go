package tx

import (
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// LivingConvKey selects the inner key of conversation ?2 of app ?1, unless it is deleted or
// has expired at ?3.
const LivingConvKey = `SELECT conv_key FROM conversations
	WHERE app_key = ` + AppKey + ` AND id = ?2 AND deleted = 0 AND expires > ?3`

// ConvRow is a row with its inner key.
type ConvRow struct {
	skein.Conversation

	Key int64
}

// ConversationColumns are what ReadConversation reads, in its order.
const (
	ConversationColumns = `c.conv_key, c.id, c.type, c.creator, c.extend, c.member_count, c.last_seq,
		c.created, c.updated, c.active, c.ttl, c.mute_all, c.last_change, c.roster_rev`
	ConversationColumnCount = 14
)

// ReadConversation copies one row of ConversationColumns.
func ReadConversation(r *sqlite3.Stmt, app string) ConvRow {
	return ConvRow{
		Key: r.ColumnInt64(0),
		Conversation: skein.Conversation{
			App:       app,
			ID:        engine.ID(r, 1),
			Type:      engine.Small[skein.ConvType](r, 2),
			Creator:   r.ColumnText(3),
			Extend:    engine.Bytes(r, 4),
			Members:   int(r.ColumnInt64(5)),
			LastSeq:   r.ColumnInt64(6),
			Created:   engine.Millis(r, 7),
			Updated:   engine.Millis(r, 8),
			Active:    engine.Millis(r, 9),
			TTL:       time.Duration(r.ColumnInt64(10)) * time.Millisecond,
			MuteAll:   r.ColumnBool(11),
			Changes:   r.ColumnInt64(12),
			RosterRev: r.ColumnInt64(13),
		},
	}
}

// Conversation is a living conversation. Errors: ErrUnknownConversation.
func (c Conn) Conversation(app string, id skein.ID, now skein.Millis) (conv ConvRow, err error) {
	found, err := c.Row(func(r *sqlite3.Stmt) { conv = ReadConversation(r, app) },
		`SELECT `+ConversationColumns+` FROM conversations c
			WHERE app_key = `+AppKey+` AND id = ?2 AND deleted = 0 AND expires > ?3`, app, id, now)
	if err == nil && !found {
		err = skein.ErrUnknownConversation
	}
	return conv, err
}

// Touched is part of a SET: the conversation changed at ?3, in period ?4.
const Touched = `updated = ?3, active = max(active, ?3), period = max(period, ?4)`

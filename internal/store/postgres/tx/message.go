package tx

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
)

// HiddenFrom begins an SQL condition that is true if a client deleted message m for itself.
// The client's parameter and a closing parenthesis must follow.
const HiddenFrom = `EXISTS (SELECT 1 FROM hidden h WHERE h.conv_key = m.conv_key AND h.seq = m.seq AND h.client_id = `

// MessageColumns are of a message m: what MessageScan reads, in its order.
const MessageColumns = `m.seq, m.id, m.sender, m.client_msg_id, m.type, m.status, m.flags, m.created, m.updated,
	m.reply_to, m.mentions, m.url, m.attr, m.text, m.version, m.changed, m.pinned, m.reactions`

// ReadMessage reads one row of MessageColumns, and more columns behind them.
func ReadMessage(row pgx.Row, conv skein.ID, more ...any) (m skein.Message, err error) {
	var flags int64
	var clientMsgID *string
	var replyTo *skein.ID
	var mentions, reactions []byte
	m.Conv = conv
	err = row.Scan(append([]any{
		&m.Seq, &m.ID, &m.Sender, &clientMsgID, &m.Type, &m.Status, &flags, &m.Created, &m.Updated,
		&replyTo, &mentions, &m.URL, &m.Attr, &m.Text, &m.Version, &m.Changed, &m.Pinned, &reactions,
	}, more...)...)
	if err != nil {
		return skein.Message{}, err
	}
	if clientMsgID != nil {
		m.ClientMsgID = *clientMsgID
	}
	if replyTo != nil {
		m.ReplyTo = *replyTo
	}
	m.MentionAll, m.NoSync = flags&rows.FlagMentionAll != 0, flags&rows.FlagNoSync != 0
	m.Mentions, m.Reactions = rows.DecodeMentions(mentions), rows.DecodeReactions(reactions)
	return m, nil
}

// ReadSeen is ReadMessage, blanked if the next column says that the viewer deleted the
// message for itself.
func ReadSeen(row pgx.Row, conv skein.ID, more ...any) (skein.Message, error) {
	var hidden bool
	m, err := ReadMessage(row, conv, append([]any{&hidden}, more...)...)
	if hidden {
		m.Blank(skein.StatusDeleted)
	}
	return m, err
}

// everyone is the client_id of a mention of all.
const everyone = ""

// Mentioned are the client_ids of the rows of mentions that a body has.
func Mentioned(b skein.Body) (clients []string) {
	if b.MentionAll {
		clients = append(clients, everyone)
	}
	for _, client := range b.Mentions {
		if client != everyone {
			clients = append(clients, client)
		}
	}
	return clients
}

// RenewMentions replaces the mentions of an edited message. Whether the clients are members is
// checked when they read.
func (t *Tx) RenewMentions(ctx context.Context, conv, seq int64, b skein.Body) error {
	if err := t.ForgetMentions(ctx, conv, seq); err != nil {
		return err
	}
	clients := Mentioned(b)
	if len(clients) == 0 {
		return nil
	}
	_, err := t.Exec(ctx, `INSERT INTO mentions (conv_key, client_id, seq) SELECT $1, c, $2 FROM unnest($3::text[]) c ON CONFLICT DO NOTHING`, conv, seq, clients)
	return err
}

// ForgetMentions removes the mentions of a message.
func (t *Tx) ForgetMentions(ctx context.Context, conv, seq int64) error {
	_, err := t.Exec(ctx, `DELETE FROM mentions WHERE conv_key = $1 AND seq = $2`, conv, seq)
	return err
}

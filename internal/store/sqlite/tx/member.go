package tx

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// Depart records that a client left a conversation.
func (g *Group) Depart(conv ConvRow, client string) error {
	return g.Exec(`INSERT OR REPLACE INTO departures (app_key, client_id, conv_id, conv_key, moved)
		VALUES (`+AppKey+`, ?2, ?3, ?4, ?5)`, conv.App, client, conv.ID, conv.Key, g.Stamp)
}

// Arrive removes the record that a client left this conversation, or an earlier one with the
// same id.
func (g *Group) Arrive(app int64, client string, conv skein.ID) error {
	return g.Exec(`DELETE FROM departures WHERE app_key = ?1 AND client_id = ?2 AND conv_id = ?3`, app, client, conv)
}

// MemberColumns are of a member m of the conversation c.
const MemberColumns = `m.client_id, m.role, m.joined, m.join_seq, m.muted_until, m.nickname,
	m.read_seq, m.received_seq, ` + SentSeq + `, m.cleared_seq, m.pinned, m.muted, m.archived, m.draft, m.unread_mark`

// MemberColumnCount is how many columns MemberColumns are.
const MemberColumnCount = 15

// SentSeq is the seq of the newest message of m; see Group.SentBy.
const SentSeq = `iif(c.speaker = m.member_key, c.spoke, m.sent_seq)`

// ReadMember copies MemberColumns, which begin at column from.
func ReadMember(r *sqlite3.Stmt, from int) skein.Member {
	return skein.Member{
		Client:      r.ColumnText(from),
		Role:        engine.Small[skein.Role](r, from+1),
		Joined:      engine.Millis(r, from+2),
		JoinSeq:     r.ColumnInt64(from + 3),
		MutedUntil:  engine.Millis(r, from+4),
		Nickname:    r.ColumnText(from + 5),
		ReadSeq:     r.ColumnInt64(from + 6),
		ReceivedSeq: r.ColumnInt64(from + 7),
		SentSeq:     r.ColumnInt64(from + 8),
		ClearedSeq:  r.ColumnInt64(from + 9),
		Marks: skein.Marks{
			Pinned:   engine.Millis(r, from+10),
			Muted:    r.ColumnBool(from + 11),
			Archived: r.ColumnBool(from + 12),
			Draft:    r.ColumnText(from + 13),
			Unread:   r.ColumnBool(from + 14),
		},
	}
}

// MemberRow is a member's row and the conversation's, with their inner keys.
type MemberRow struct {
	Conv   ConvRow
	Member skein.Member
	Key    int64
}

// Membership reads a conversation and a client as its member. Errors: ErrUnknownConversation;
// ErrUnknownClient as a Fault if the client is not a member.
func (c Conn) Membership(app string, id skein.ID, client string, now skein.Millis) (m MemberRow, err error) {
	found, err := c.Row(func(r *sqlite3.Stmt) {
		m.Conv = ReadConversation(r, app)
		m.Key = r.ColumnInt64(ConversationColumnCount)
		if m.Key != 0 {
			m.Member = ReadMember(r, ConversationColumnCount+1)
		}
	}, `SELECT `+ConversationColumns+`, m.member_key, `+MemberColumns+` FROM conversations c
		LEFT JOIN members m ON m.conv_key = c.conv_key AND m.client_id = ?4
		WHERE c.app_key = `+AppKey+` AND c.id = ?2 AND c.deleted = 0 AND c.expires > ?3`, app, id, now, client)
	switch {
	case err != nil:
		return MemberRow{}, err
	case !found:
		return MemberRow{}, skein.ErrUnknownConversation
	case m.Key == 0:
		return MemberRow{}, skein.About(skein.ErrUnknownClient, client)
	}
	return m, nil
}

package tx

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
)

// MemberColumns are of a member m of the conversation c.
const MemberColumns = `m.client_id, m.role, m.joined, m.join_seq, m.muted_until, m.nickname,
	m.read_seq, m.received_seq, ` + SentSeq + `, m.cleared_seq, m.pinned, m.muted, m.archived, m.draft, m.unread_mark`

// SentSeq is SQL for the seq of the newest message of member m of conversation c. The
// conversation's row names the member that sent last, so a member's own row is written only
// when another member sends.
const SentSeq = `CASE WHEN c.speaker = m.member_key THEN c.spoke ELSE m.sent_seq END`

// ReadMember reads one row of MemberColumns.
func ReadMember(row pgx.Row) (m skein.Member, err error) {
	return m, row.Scan(MemberFields(&m)...)
}

// MemberFields are where to scan MemberColumns.
func MemberFields(m *skein.Member) []any {
	return []any{
		&m.Client, &m.Role, &m.Joined, &m.JoinSeq, &m.MutedUntil, &m.Nickname,
		&m.ReadSeq, &m.ReceivedSeq, &m.SentSeq, &m.ClearedSeq, &m.Pinned, &m.Muted, &m.Archived, &m.Draft, &m.Unread,
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
func (c Conn) Membership(ctx context.Context, app string, id skein.ID, client string) (m MemberRow, err error) {
	if m.Conv, err = c.Conversation(ctx, app, id); err != nil {
		return MemberRow{}, err
	}
	err = c.QueryRow(ctx, `SELECT `+MemberColumns+`, m.member_key FROM conversations c JOIN members m ON m.conv_key = c.conv_key
		WHERE c.conv_key = $1 AND m.client_id = $2`, m.Conv.Key, client).Scan(append(MemberFields(&m.Member), &m.Key)...)
	if err != nil {
		return MemberRow{}, Missing(err, skein.About(skein.ErrUnknownClient, client))
	}
	return m, nil
}

// Arrive removes the record that a client left this conversation, or an earlier one with the
// same id.
func (t *Tx) Arrive(ctx context.Context, app int64, client string, conv skein.ID) error {
	_, err := t.Exec(ctx, `DELETE FROM departures WHERE app_key = $1 AND client_id = $2 AND conv_id = $3`, app, client, conv)
	return err
}

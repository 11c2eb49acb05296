package sqlite

import (
	"cmp"
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// memberRow is a member's row and the conversation's, with their inner keys.
type memberRow struct {
	conv   conversation
	member skein.Member
	key    int64
}

// membership is a client in a living conversation. Errors: ErrUnknownConversation;
// ErrUnknownClient as a Fault about who is no member.
func (c *connection) membership(app string, id skein.ID, client string, now skein.Millis) (m memberRow, err error) {
	found, err := c.row(func(r *sqlite3.Stmt) {
		m.conv = readConversation(r, app)
		m.key = r.ColumnInt64(conversationColumnCount)
		if m.key != 0 {
			m.member = readMember(r, conversationColumnCount+1)
		}
	}, `SELECT `+conversationColumns+`, m.member_key, `+memberColumns+` FROM conversations c
		LEFT JOIN members m ON m.conv_key = c.conv_key AND m.client_id = ?4
		WHERE c.app_key = `+appKey+` AND c.id = ?2 AND c.deleted = 0 AND c.expires > ?3`, app, id, now, client)
	switch {
	case err != nil:
		return memberRow{}, err
	case !found:
		return memberRow{}, skein.ErrUnknownConversation
	case m.key == 0:
		return memberRow{}, skein.About(skein.ErrUnknownClient, client)
	}
	return m, nil
}

// UpdateMember alters a member; see store.Members. Receipts come as often as
// messages, so it takes no savepoint: nothing that may be refused comes after its
// first write. The rows may not show the messages of its own group: who waits for
// the same commit is not before it.
func (s *Store) UpdateMember(ctx context.Context, app string, id skein.ID, by store.Authority, client string, at skein.Millis, change func(skein.Conversation, *skein.Member) error) (skein.Conversation, skein.Member, error) {
	m, err := write(ctx, s.writer, job{app: app, bytes: smallJob, whole: true}, func(g *group) (memberRow, error) {
		before, err := g.membership(app, id, client, g.now)
		if errors.Is(err, skein.ErrUnknownClient) && by.Client != "" { // a refusal comes first
			_, _, refused := g.authorized(app, id, by)
			err = cmp.Or(refused, err)
		}
		if err == nil && (by.Client != "" || by.Rule != nil) {
			_, err = g.authorize(before.conv, by)
		}
		if err != nil {
			return memberRow{}, err
		}
		after := before
		if err := change(before.conv.Conversation, &after.member); err != nil {
			return memberRow{}, err
		}
		after.member = holdMember(before.member, after.member, before.conv.LastSeq)
		if after.member == before.member {
			return before, nil
		}
		return g.updateMember(before.member, after, at)
	})
	return m.conv.Conversation, m.member, err
}

// UpdateMemberships alters what a client notes for itself in many conversations; see
// store.Members. It takes no savepoint, for the reason of UpdateMember.
func (s *Store) UpdateMemberships(ctx context.Context, app, client string, ids []skein.ID, change func(int, skein.Conversation, *skein.Member)) ([]store.Membership, error) {
	j := job{app: app, bytes: smallJob, whole: true, rows: membershipRows * len(ids)}
	return write(ctx, s.writer, j, func(g *group) ([]store.Membership, error) {
		all := make([]store.Membership, len(ids))
		for i, id := range ids {
			m, err := g.membership(app, id, client, g.now)
			if errors.Is(err, skein.ErrUnknownConversation) || errors.Is(err, skein.ErrUnknownClient) {
				all[i].Err = err
				continue
			}
			if err != nil {
				return nil, err
			}
			before := m.member
			change(i, m.conv.Conversation, &m.member)
			m.member = holdMember(before, m.member, m.conv.LastSeq)
			m.member.Role, m.member.Nickname, m.member.MutedUntil = before.Role, before.Nickname, before.MutedUntil
			if m.member != before {
				if m, err = g.updateMember(before, m, 0); err != nil {
					return nil, err
				}
			}
			all[i] = store.Membership{Conversation: m.conv.Conversation, Before: before, After: m.member}
		}
		return all, nil
	})
}

// membershipRows is how many rows an altered membership costs: itself, and the
// conversation, which is read with its extend.
const membershipRows = 2

// holdMember is what a member becomes, with what cannot change as it was.
func holdMember(before, after skein.Member, lastSeq int64) skein.Member {
	after.Client, after.Joined, after.JoinSeq, after.SentSeq = before.Client, before.Joined, before.JoinSeq, before.SentSeq
	after.ReadSeq = forward(before.ReadSeq, after.ReadSeq, lastSeq)
	after.ReceivedSeq = forward(before.ReceivedSeq, after.ReceivedSeq, lastSeq)
	after.ClearedSeq = forward(before.ClearedSeq, after.ClearedSeq, lastSeq)
	return after
}

// forward moves a position to where it is asked to be, neither back nor past the
// end.
func forward(from, to, end int64) int64 { return max(from, min(to, end)) }

func (g *group) updateMember(before skein.Member, m memberRow, at skein.Millis) (memberRow, error) {
	after := m.member
	err := g.exec(`UPDATE members SET role = ?2, nickname = ?3, muted_until = ?4, read_seq = ?5, received_seq = ?6,
		cleared_seq = ?7, pinned = ?8, muted = ?9, archived = ?10, draft = ?11, moved = ?12, unread_mark = ?13 WHERE member_key = ?1`,
		m.key, after.Role, after.Nickname, after.MutedUntil, after.ReadSeq, after.ReceivedSeq,
		after.ClearedSeq, after.Pinned, after.Muted, after.Archived, after.Draft, g.stamp, after.Unread)
	if s := g.known.seats[seatName{m.conv.key, after.Client}]; s != nil {
		s.read = max(s.read, after.Read())
	}
	if err == nil && (after.Draft != before.Draft || after.Nickname != before.Nickname) {
		err = g.renameUploads(m.conv.App, byMember, m.key, after.Uploads())
	}
	if err != nil || after.Role == before.Role && after.Nickname == before.Nickname && after.MutedUntil == before.MutedUntil {
		return m, err
	}
	delete(g.known.seats, seatName{m.conv.key, after.Client})
	if after.Role == skein.RoleOwner && before.Role != skein.RoleOwner {
		if err := g.demoteOwner(m.conv, m.key); err != nil {
			return m, err
		}
	}
	m.conv.Updated = at
	m.conv.RosterRev++
	if p := g.known.places[placeName{m.conv.App, m.conv.ID}]; p != nil { // it may be dirty, so it is not forgotten
		p.rosterRev = m.conv.RosterRev
	}
	_, err = g.move(`UPDATE conversations SET updated = ?2, moved = ?3, roster_rev = roster_rev + 1 WHERE conv_key = ?1`+returningMoves, m.conv.key, at, g.stamp)
	if err == nil {
		err = g.event(store.Entry{Kind: store.EntryMemberUpdated, App: m.conv.App, Conv: m.conv.ID, Client: after.Client})
	}
	return m, err
}

// demoteOwner makes whoever owned the conversation beside the new owner an admin.
func (g *group) demoteOwner(conv conversation, owner int64) error {
	var demoted []string
	err := g.rows(func(r *sqlite3.Stmt) { demoted = append(demoted, r.ColumnText(0)) },
		`UPDATE members SET role = ?3, moved = ?4 WHERE conv_key = ?1 AND role = ?5 AND member_key <> ?2 RETURNING client_id`,
		conv.key, owner, skein.RoleAdmin, g.stamp, skein.RoleOwner)
	for _, client := range demoted {
		delete(g.known.seats, seatName{conv.key, client})
		if err == nil {
			err = g.event(store.Entry{Kind: store.EntryMemberUpdated, App: conv.App, Conv: conv.ID, Client: client})
		}
	}
	return err
}

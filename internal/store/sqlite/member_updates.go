package sqlite

import (
	"cmp"
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// UpdateMember changes a member; see store.Members. Receipts are as frequent as messages, so
// it does without a savepoint: nothing can be refused after its first write. The rows may
// lack messages of the same group commit, which were not answered yet.
func (s *Store) UpdateMember(ctx context.Context, app string, id skein.ID, by store.Authority, client string, at skein.Millis, change func(skein.Conversation, *skein.Member) error) (skein.Conversation, skein.Member, error) {
	m, err := tx.Write(ctx, s.db, tx.Job{App: app, Bytes: tx.SmallJob, Whole: true}, func(g group) (tx.MemberRow, error) {
		before, err := g.Membership(app, id, client, g.Now)
		if errors.Is(err, skein.ErrUnknownClient) && by.Client != "" { // report a refusal before the unknown client
			_, _, refused := g.Authorized(app, id, by)
			err = cmp.Or(refused, err)
		}
		if err == nil && (by.Client != "" || by.Rule != nil) {
			_, err = g.Authorize(before.Conv, by)
		}
		if err != nil {
			return tx.MemberRow{}, err
		}
		after := before
		if err := change(before.Conv.Conversation, &after.Member); err != nil {
			return tx.MemberRow{}, err
		}
		after.Member = rows.HoldMember(before.Member, after.Member, before.Conv.LastSeq)
		if after.Member == before.Member {
			return before, nil
		}
		return g.updateMember(before.Member, after, at)
	})
	return m.Conv.Conversation, m.Member, err
}

// UpdateMemberships changes a client's own settings in many conversations; see
// store.Members. It does without a savepoint, as UpdateMember does.
func (s *Store) UpdateMemberships(ctx context.Context, app, client string, ids []skein.ID, change func(int, skein.Conversation, *skein.Member)) ([]store.Membership, error) {
	j := tx.Job{App: app, Bytes: tx.SmallJob, Whole: true, Rows: membershipRows * len(ids)}
	return tx.Write(ctx, s.db, j, func(g group) ([]store.Membership, error) {
		all := make([]store.Membership, len(ids))
		for i, id := range ids {
			m, err := g.Membership(app, id, client, g.Now)
			if errors.Is(err, skein.ErrUnknownConversation) || errors.Is(err, skein.ErrUnknownClient) {
				all[i].Err = err
				continue
			}
			if err != nil {
				return nil, err
			}
			before := m.Member
			change(i, m.Conv.Conversation, &m.Member)
			m.Member = rows.HoldMember(before, m.Member, m.Conv.LastSeq)
			m.Member.Role, m.Member.Nickname, m.Member.MutedUntil = before.Role, before.Nickname, before.MutedUntil
			if m.Member != before {
				if m, err = g.updateMember(before, m, 0); err != nil {
					return nil, err
				}
			}
			all[i] = store.Membership{Conversation: m.Conv.Conversation, Before: before, After: m.Member}
		}
		return all, nil
	})
}

// membershipRows is how many rows changing a membership costs: its own, and the
// conversation, which is read with its extend.
const membershipRows = 2

// updateMember writes a changed member, and, if other members can see the change, the
// conversation and the event.
func (g group) updateMember(before skein.Member, m tx.MemberRow, at skein.Millis) (tx.MemberRow, error) {
	after := m.Member
	err := g.Exec(`UPDATE members SET role = ?2, nickname = ?3, muted_until = ?4, read_seq = ?5, received_seq = ?6,
		cleared_seq = ?7, pinned = ?8, muted = ?9, archived = ?10, draft = ?11, moved = ?12, unread_mark = ?13 WHERE member_key = ?1`,
		m.Key, after.Role, after.Nickname, after.MutedUntil, after.ReadSeq, after.ReceivedSeq,
		after.ClearedSeq, after.Pinned, after.Muted, after.Archived, after.Draft, g.Stamp, after.Unread)
	if s := g.Known.Member(m.Conv.Key, after.Client); s != nil {
		s.Read = max(s.Read, after.Read())
	}
	if err == nil && (after.Draft != before.Draft || after.Nickname != before.Nickname) {
		err = g.RenameUploads(m.Conv.App, tx.ByMember, m.Key, after.Uploads())
	}
	if err != nil || !rows.SeenByAll(before, after) {
		return m, err
	}
	g.Known.ForgetMember(m.Conv.Key, after.Client)
	if after.Role == skein.RoleOwner && before.Role != skein.RoleOwner {
		if err := g.demoteOwner(m.Conv, m.Key); err != nil {
			return m, err
		}
	}
	m.Conv.Updated = at
	m.Conv.RosterRev++
	if p := g.Known.Timeline(m.Conv.App, m.Conv.ID); p != nil { // keep it: it may be dirty
		p.RosterRev = m.Conv.RosterRev
	}
	_, err = g.Move(`UPDATE conversations SET updated = ?2, moved = ?3, roster_rev = roster_rev + 1 WHERE conv_key = ?1`+tx.ReturningMoves, m.Conv.Key, at, g.Stamp)
	if err == nil {
		err = g.Event(store.Entry{Kind: store.EntryMemberUpdated, App: m.Conv.App, Conv: m.Conv.ID, Client: after.Client})
	}
	return m, err
}

// demoteOwner makes every other owner of the conversation an admin.
func (g group) demoteOwner(conv tx.ConvRow, owner int64) error {
	var demoted []string
	err := g.Rows(func(r *sqlite3.Stmt) { demoted = append(demoted, r.ColumnText(0)) },
		`UPDATE members SET role = ?3, moved = ?4 WHERE conv_key = ?1 AND role = ?5 AND member_key <> ?2 RETURNING client_id`,
		conv.Key, owner, skein.RoleAdmin, g.Stamp, skein.RoleOwner)
	for _, client := range demoted {
		g.Known.ForgetMember(conv.Key, client)
		if err == nil {
			err = g.Event(store.Entry{Kind: store.EntryMemberUpdated, App: conv.App, Conv: conv.ID, Client: client})
		}
	}
	return err
}

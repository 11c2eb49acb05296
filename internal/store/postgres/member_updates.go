package postgres

import (
	"cmp"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// memberChange is a change that UpdateMember is to make.
type memberChange struct {
	app    string
	id     skein.ID
	by     store.Authority
	client string
	at     skein.Millis
	change func(skein.Conversation, *skein.Member) error
}

// UpdateMember changes a member; see store.Members. Receipts are as frequent as messages, so
// what only the member itself sees is written without the conversation's lock: by one
// statement, which does nothing if the row has changed since it was read.
func (s *Store) UpdateMember(ctx context.Context, app string, id skein.ID, by store.Authority, client string, at skein.Millis, change func(skein.Conversation, *skein.Member) error) (skein.Conversation, skein.Member, error) {
	u := memberChange{app, id, by, client, at, change}
	if by.Client == "" && by.Rule == nil {
		m, done, err := s.updateOwn(ctx, u)
		if err != nil || done {
			return m.Conv.Conversation, m.Member, err
		}
	}
	m, err := tx.Result(ctx, s.db, app, u.underLock)
	return m.Conv.Conversation, m.Member, err
}

// maxOwnTries bounds how often updateOwn reads the row again.
const maxOwnTries = 5

// updateOwn makes a change that only the member itself sees, and only of columns. It is not
// done if the change is of another kind, or if others change the row all the time.
func (s *Store) updateOwn(ctx context.Context, u memberChange) (m tx.MemberRow, done bool, err error) {
	err = s.db.Each(ctx, u.app, func(ctx context.Context, c tx.Conn) error {
		for range maxOwnTries {
			before, moved, err := membership(ctx, c, u.app, u.id, u.client)
			if err != nil {
				return err
			}
			m = before
			if err := u.change(before.Conv.Conversation, &m.Member); err != nil {
				return err
			}
			m.Member = rows.HoldMember(before.Member, m.Member, before.Conv.LastSeq)
			if done = m.Member == before.Member; done {
				return nil
			}
			if rows.SeenByAll(before.Member, m.Member) || m.Member.Draft != before.Member.Draft {
				return nil
			}
			changed, err := c.Exec(ctx, `UPDATE members SET read_seq = $3, received_seq = $4, cleared_seq = $5, pinned = $6, muted = $7,
				archived = $8, unread_mark = $9, moved = `+tx.Stamp+` WHERE member_key = $1 AND moved = $2`,
				m.Key, moved, m.Member.ReadSeq, m.Member.ReceivedSeq, m.Member.ClearedSeq, m.Member.Pinned, m.Member.Muted, m.Member.Archived, m.Member.Unread)
			if done = err == nil && changed.RowsAffected() == 1; err != nil || done {
				return err
			}
		}
		return nil
	})
	return m, done, err
}

// membership is tx.Conn.Membership in one statement, and the stamp of the member's row.
func membership(ctx context.Context, c tx.Conn, app string, id skein.ID, client string) (m tx.MemberRow, moved int64, err error) {
	m.Conv, err = tx.ReadConversation(c.QueryRow(ctx, `SELECT `+tx.ConversationColumns+`, `+maybeMember+`, coalesce(m.member_key, 0), coalesce(m.moved, 0)
		FROM conversations c LEFT JOIN members m ON m.conv_key = c.conv_key AND m.client_id = $4
		WHERE c.app_key = `+tx.AppKey+` AND c.id = $2 AND c.deleted = 0 AND c.expires > $3`, app, id, c.Now, client),
		app, append(tx.MemberFields(&m.Member), &m.Key, &moved)...)
	if err != nil {
		return tx.MemberRow{}, 0, tx.Missing(err, skein.ErrUnknownConversation)
	}
	if m.Key == 0 {
		return tx.MemberRow{}, 0, skein.About(skein.ErrUnknownClient, client)
	}
	return m, moved, nil
}

// underLock makes the change under the lock of the conversation, and of the member's row,
// which may be changed without the former.
func (u memberChange) underLock(ctx context.Context, t *tx.Tx) (tx.MemberRow, error) {
	conv, err := t.Locked(ctx, u.app, u.id)
	if err != nil {
		return tx.MemberRow{}, err
	}
	var refused error
	if u.by.Client != "" || u.by.Rule != nil {
		_, refused = t.Authorize(ctx, conv, u.by)
	}
	before, err := lockedMember(ctx, t, conv, u.client)
	if errors.Is(err, skein.ErrUnknownClient) && u.by.Client != "" { // report a refusal before the unknown client
		err = cmp.Or(refused, err)
	}
	if err = cmp.Or(err, refused); err != nil {
		return tx.MemberRow{}, err
	}
	after := before
	if err := u.change(conv.Conversation, &after.Member); err != nil {
		return tx.MemberRow{}, err
	}
	after.Member = rows.HoldMember(before.Member, after.Member, conv.LastSeq)
	if after.Member == before.Member {
		return before, nil
	}
	return updateMember(ctx, t, before.Member, after, u.at)
}

// lockedMember locks and reads the row of a member of a locked conversation. Errors:
// ErrUnknownClient as a Fault if the client is not a member.
func lockedMember(ctx context.Context, t *tx.Tx, conv tx.ConvRow, client string) (tx.MemberRow, error) {
	m := tx.MemberRow{Conv: conv}
	err := t.QueryRow(ctx, `SELECT `+tx.MemberColumns+`, m.member_key FROM members m JOIN conversations c ON c.conv_key = m.conv_key
		WHERE m.conv_key = $1 AND m.client_id = $2 FOR NO KEY UPDATE OF m`, conv.Key, client).Scan(append(tx.MemberFields(&m.Member), &m.Key)...)
	return m, tx.Missing(err, skein.About(skein.ErrUnknownClient, client))
}

// updateMember writes a changed member, and, if other members can see the change, the
// conversation and the event.
func updateMember(ctx context.Context, t *tx.Tx, before skein.Member, m tx.MemberRow, at skein.Millis) (tx.MemberRow, error) {
	after := m.Member
	_, err := t.Exec(ctx, `UPDATE members SET role = $2, nickname = $3, muted_until = $4, read_seq = $5, received_seq = $6,
		cleared_seq = $7, pinned = $8, muted = $9, archived = $10, draft = $11, unread_mark = $12, moved = `+tx.Stamp+` WHERE member_key = $1`,
		m.Key, after.Role, after.Nickname, after.MutedUntil, after.ReadSeq, after.ReceivedSeq,
		after.ClearedSeq, after.Pinned, after.Muted, after.Archived, after.Draft, after.Unread)
	if err == nil && (after.Draft != before.Draft || after.Nickname != before.Nickname) {
		err = t.RenameUploads(ctx, m.Conv.AppKey, tx.Thing{Kind: tx.ByMember, Key: m.Key}, after.Uploads())
	}
	if err != nil || !rows.SeenByAll(before, after) {
		return m, err
	}
	events := []store.Entry{{Kind: store.EntryMemberUpdated, App: m.Conv.App, Conv: m.Conv.ID, Client: after.Client}}
	if after.Role == skein.RoleOwner && before.Role != skein.RoleOwner {
		demoted, err := demoteOwner(ctx, t, m)
		if err != nil {
			return m, err
		}
		events = append(demoted, events...)
	}
	m.Conv.Updated = at
	m.Conv.RosterRev++
	_, err = t.Exec(ctx, `UPDATE conversations SET updated = $2, roster_rev = roster_rev + 1, moved = `+tx.Stamp+` WHERE conv_key = $1`, m.Conv.Key, at)
	if err == nil {
		err = t.Event(ctx, events...)
	}
	return m, err
}

// demoteOwner makes every owner of the conversation but this one an admin, and returns what
// the feed tells of it.
func demoteOwner(ctx context.Context, t *tx.Tx, owner tx.MemberRow) (events []store.Entry, err error) {
	found, err := t.Query(ctx, `UPDATE members SET role = $3, moved = `+tx.Stamp+` WHERE conv_key = $1 AND role = $4 AND member_key <> $2 RETURNING client_id`,
		owner.Conv.Key, owner.Key, skein.RoleAdmin, skein.RoleOwner)
	return collect(found, err, func(r pgx.CollectableRow) (store.Entry, error) {
		e := store.Entry{Kind: store.EntryMemberUpdated, App: owner.Conv.App, Conv: owner.Conv.ID}
		return e, r.Scan(&e.Client)
	})
}

// UpdateMemberships changes a client's own settings in many conversations; see
// store.Members. Only the rows of the members are locked, in the order of conversations.
func (s *Store) UpdateMemberships(ctx context.Context, app, client string, ids []skein.ID, change func(int, skein.Conversation, *skein.Member)) ([]store.Membership, error) {
	return tx.Result(ctx, s.db, app, func(ctx context.Context, t *tx.Tx) ([]store.Membership, error) {
		there, err := lockMemberships(ctx, t, app, client, ids)
		if err != nil {
			return nil, err
		}
		all := make([]store.Membership, len(ids))
		changed := map[skein.ID]bool{}
		for i, id := range ids {
			m := there[id]
			switch {
			case m == nil:
				all[i].Err = skein.ErrUnknownConversation
				continue
			case m.Key == 0:
				all[i].Err = skein.About(skein.ErrUnknownClient, client)
				continue
			}
			before := m.Member
			change(i, m.Conv.Conversation, &m.Member)
			m.Member = rows.HoldMember(before, m.Member, m.Conv.LastSeq)
			m.Member.Role, m.Member.Nickname, m.Member.MutedUntil = before.Role, before.Nickname, before.MutedUntil
			changed[id] = changed[id] || m.Member != before
			m.redrafted = m.redrafted || m.Member.Draft != before.Draft
			all[i] = store.Membership{Conversation: m.Conv.Conversation, Before: before, After: m.Member}
		}
		var write []*ownRow
		for id := range changed {
			if changed[id] {
				write = append(write, there[id])
			}
		}
		return all, updateMemberships(ctx, t, write)
	})
}

// ownRow is a membership that UpdateMemberships may change. Key is zero where the client is
// not a member.
type ownRow struct {
	tx.MemberRow

	redrafted bool // its draft is another
}

// lockMemberships locks and reads the memberships of a client in conversations.
func lockMemberships(ctx context.Context, t *tx.Tx, app, client string, ids []skein.ID) (map[skein.ID]*ownRow, error) {
	_, err := t.Exec(ctx, `SELECT 1 FROM members m JOIN conversations c ON c.conv_key = m.conv_key
		WHERE c.app_key = `+tx.AppKey+` AND c.id = ANY($2) AND m.client_id = $3 ORDER BY m.conv_key FOR NO KEY UPDATE OF m`, app, ids, client)
	if err != nil {
		return nil, err
	}
	found, err := t.Query(ctx, `SELECT `+tx.ConversationColumns+`, `+maybeMember+`, coalesce(m.member_key, 0) FROM conversations c
		LEFT JOIN members m ON m.conv_key = c.conv_key AND m.client_id = $4
		WHERE c.app_key = `+tx.AppKey+` AND c.id = ANY($2) AND c.deleted = 0 AND c.expires > $3`, app, ids, t.Now, client)
	list, err := collect(found, err, func(r pgx.CollectableRow) (*ownRow, error) {
		m := new(ownRow)
		var err error
		m.Conv, err = tx.ReadConversation(r, app, append(tx.MemberFields(&m.Member), &m.Key)...)
		return m, err
	})
	there := make(map[skein.ID]*ownRow, len(list))
	for _, m := range list {
		there[m.Conv.ID] = m
	}
	return there, err
}

// updateMemberships writes changed memberships.
func updateMemberships(ctx context.Context, t *tx.Tx, list []*ownRow) error {
	n := len(list)
	if n == 0 {
		return nil
	}
	keys, read, received, cleared := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	pinned, drafts := make([]skein.Millis, n), make([]string, n)
	muted, archived, unread := make([]bool, n), make([]bool, n), make([]bool, n)
	for i, m := range list {
		keys[i], read[i], received[i], cleared[i] = m.Key, m.Member.ReadSeq, m.Member.ReceivedSeq, m.Member.ClearedSeq
		pinned[i], muted[i], archived[i], unread[i], drafts[i] = m.Member.Pinned, m.Member.Muted, m.Member.Archived, m.Member.Unread, m.Member.Draft
	}
	_, err := t.Exec(ctx, `UPDATE members m SET read_seq = u.read_seq, received_seq = u.received_seq, cleared_seq = u.cleared_seq,
		pinned = u.pinned, muted = u.muted, archived = u.archived, unread_mark = u.unread_mark, draft = u.draft, moved = `+tx.Stamp+`
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[], $7::boolean[], $8::boolean[], $9::text[])
			u(member_key, read_seq, received_seq, cleared_seq, pinned, muted, archived, unread_mark, draft)
		WHERE m.member_key = u.member_key`, keys, read, received, cleared, pinned, muted, archived, unread, drafts)
	for _, m := range list {
		if err == nil && m.redrafted {
			err = t.RenameUploads(ctx, m.Conv.AppKey, tx.Thing{Kind: tx.ByMember, Key: m.Key}, m.Member.Uploads())
		}
	}
	return err
}

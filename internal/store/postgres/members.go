package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// insertMembers makes new members of a conversation in this order. adder is the client that
// added them; empty or the member itself: no other client did.
func insertMembers(ctx context.Context, t *tx.Tx, conv tx.ConvRow, members []skein.Member, adder string) error {
	n := len(members)
	if n == 0 {
		return nil
	}
	clients, roles := make([]string, n), make([]int16, n)
	joined, muted := make([]skein.Millis, n), make([]skein.Millis, n)
	for i, m := range members {
		clients[i], roles[i], joined[i], muted[i] = m.Client, int16(m.Role), m.Joined, m.MutedUntil
	}
	_, err := t.Exec(ctx, `DELETE FROM departures WHERE app_key = $1 AND client_id = ANY($2) AND conv_id = $3`, conv.AppKey, clients, conv.ID)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `INSERT INTO members (conv_key, app_key, client_id, role, joined, join_seq, muted_until, moved, adder)
		SELECT $1, $2, u.client, u.role, u.joined, $3, u.muted_until, `+tx.Stamp+`, nullif(nullif($4::text, ''), u.client)
		FROM unnest($5::text[], $6::smallint[], $7::bigint[], $8::bigint[]) WITH ORDINALITY u(client, role, joined, muted_until, n) ORDER BY u.n`,
		conv.Key, conv.AppKey, conv.LastSeq+1, adder, clients, roles, joined, muted)
	return err
}

// AddMembers adds members; see store.Members.
func (s *Store) AddMembers(ctx context.Context, app string, id skein.ID, by store.Authority, clients []string, at skein.Millis, limit store.MemberLimit) ([]string, error) {
	return tx.Result(ctx, s.db, app, func(ctx context.Context, t *tx.Tx) ([]string, error) {
		conv, err := t.Locked(ctx, app, id)
		if err != nil {
			return nil, err
		}
		// One at a time adds a client anywhere, so that limit.PerClient holds. The caller is
		// locked together with the others: rows are locked in the order of ids.
		everyone := clients
		if by.Client != "" {
			everyone = append(slices.Clip(everyone), by.Client)
		}
		living, err := t.LockClients(ctx, conv.AppKey, everyone, limit.PerClient <= 0)
		if err == nil {
			_, err = t.Authorize(ctx, conv, by)
		}
		if err == nil {
			err = mustExist(living, clients)
		}
		if err != nil {
			return nil, err
		}
		return addMembers(ctx, t, conv, clients, living, at, limit)
	})
}

func addMembers(ctx context.Context, t *tx.Tx, conv tx.ConvRow, clients []string, living map[string]skein.Client, at skein.Millis, limit store.MemberLimit) ([]string, error) {
	there, err := rolesOf(ctx, t, conv.Key, clients)
	if err != nil {
		return nil, err
	}
	var added []string
	for _, client := range distinct(clients) {
		if _, is := there[client]; !is {
			added = append(added, client)
		}
	}
	if len(added) == 0 {
		return nil, nil
	}
	if limit.Members > 0 && conv.Type != skein.Room && conv.Members+len(added) > limit.Members {
		return nil, skein.About(skein.ErrTooLarge, "members")
	}
	if err := mustTake(ctx, t, conv.AppKey, conv.Type, added, living, limit); err != nil {
		return nil, err
	}
	muted, err := readmit(ctx, t, conv.Key, added, limit.Itself)
	if err != nil {
		return nil, err
	}
	members := make([]skein.Member, len(added))
	for i, client := range added {
		members[i] = skein.Member{Client: client, Joined: at, MutedUntil: muted[client]}
	}
	if err := insertMembers(ctx, t, conv, members, limit.Adder); err != nil {
		return nil, err
	}
	if err := countMembers(ctx, t, conv.Key, len(added), at); err != nil {
		return nil, err
	}
	return added, t.Event(ctx, store.Entry{Kind: store.EntryMembersAdded, App: conv.App, Conv: conv.ID, Clients: added})
}

// rolesOf are the roles of those of the clients that are members.
func rolesOf(ctx context.Context, t *tx.Tx, conv int64, clients []string) (map[string]skein.Role, error) {
	found, err := t.Query(ctx, `SELECT client_id, role FROM members WHERE conv_key = $1 AND client_id = ANY($2)`, conv, clients)
	return collectMap[string, skein.Role](found, err)
}

// distinct is the list without repetitions; the first of each stays.
func distinct(clients []string) (once []string) {
	seen := make(map[string]bool, len(clients))
	for _, client := range clients {
		if !seen[client] {
			seen[client] = true
			once = append(once, client)
		}
	}
	return once
}

// RemoveMembers removes members; see store.Members.
func (s *Store) RemoveMembers(ctx context.Context, app string, id skein.ID, by store.Authority, clients []string, at, ban skein.Millis) ([]string, error) {
	return tx.Result(ctx, s.db, app, func(ctx context.Context, t *tx.Tx) ([]string, error) {
		conv, err := t.Locked(ctx, app, id)
		if err != nil {
			return nil, err
		}
		var banned []string
		if conv.Type == skein.Room && ban != 0 {
			banned = slices.DeleteFunc(distinct(clients), func(client string) bool { return client == by.Client })
			// So that no ban comes behind the deletion of its client.
			if _, err := t.LockClients(ctx, conv.AppKey, append(slices.Clip(banned), by.Client), true); err != nil {
				return nil, err
			}
		}
		me, err := t.Authorize(ctx, conv, by)
		if err == nil && me != nil {
			err = mustBeBelow(ctx, t, conv.Key, *me, clients)
		}
		if err == nil {
			err = banFrom(ctx, t, conv, banned, ban)
		}
		if err != nil {
			return nil, err
		}
		return removeMembers(ctx, t, conv, clients, at)
	})
}

func removeMembers(ctx context.Context, t *tx.Tx, conv tx.ConvRow, clients []string, at skein.Millis) ([]string, error) {
	if err := keepMutes(ctx, t, conv.Key, clients); err != nil {
		return nil, err
	}
	found, err := t.Query(ctx, `DELETE FROM members WHERE conv_key = $1 AND client_id = ANY($2) RETURNING client_id, true`, conv.Key, clients)
	were, err := collectMap[string, bool](found, err)
	if err != nil || len(were) == 0 {
		return nil, err
	}
	removed := slices.DeleteFunc(distinct(clients), func(client string) bool { return !were[client] })
	_, err = t.Exec(ctx, `INSERT INTO departures (app_key, client_id, conv_id, conv_key, moved, at)
		SELECT $1, u.client, $2, $3, `+tx.Stamp+`, $5 FROM unnest($4::text[]) u(client)
		ON CONFLICT (app_key, client_id, conv_id) DO UPDATE SET conv_key = excluded.conv_key, moved = excluded.moved, at = excluded.at`,
		conv.AppKey, conv.ID, conv.Key, removed, t.Now)
	if err == nil {
		err = countMembers(ctx, t, conv.Key, -len(removed), at)
	}
	if err == nil {
		err = t.Event(ctx, store.Entry{Kind: store.EntryMembersRemoved, App: conv.App, Conv: conv.ID, Clients: removed})
	}
	return removed, err
}

// mustBeBelow refuses clients whose role is not below that of me; me itself is allowed.
func mustBeBelow(ctx context.Context, t *tx.Tx, conv int64, me skein.Member, clients []string) error {
	roles, err := rolesOf(ctx, t, conv, clients)
	if err != nil {
		return err
	}
	for _, client := range clients {
		if role, is := roles[client]; is && client != me.Client && role >= me.Role {
			return skein.About(skein.ErrForbidden, client)
		}
	}
	return nil
}

// countMembers changes the member count of a conversation and raises its roster revision.
func countMembers(ctx context.Context, t *tx.Tx, conv int64, by int, at skein.Millis) error {
	_, err := t.Exec(ctx, `UPDATE conversations SET member_count = member_count + $2, roster_rev = roster_rev + 1, `+touched+`, moved = `+tx.Stamp+`
		WHERE conv_key = $1`, conv, by, at, rows.PeriodOf(at))
	return err
}

// touched is part of a SET: the conversation changed at $3, in period $4.
const touched = `updated = $3, active = greatest(active, $3), period = greatest(period, $4)`

// mustExist returns ErrUnknownClient about the first client that is not among the living.
func mustExist(living map[string]skein.Client, clients []string) error {
	for _, client := range clients {
		if _, ok := living[client]; !ok {
			return skein.About(skein.ErrUnknownClient, client)
		}
	}
	return nil
}

// Members is a page of members; see store.Members.
func (s *Store) Members(ctx context.Context, app string, id skein.ID, q skein.MemberQuery) (page skein.MemberPage, err error) {
	err = s.db.Read(ctx, app, func(ctx context.Context, c tx.Conn) error {
		conv, err := c.Conversation(ctx, app, id)
		if err != nil {
			return err
		}
		page, err = membersPage(ctx, c, conv, q)
		return err
	})
	return page, err
}

func membersPage(ctx context.Context, c tx.Conn, conv tx.ConvRow, q skein.MemberQuery) (page skein.MemberPage, err error) {
	offset := q.Offset
	if !q.After.IsZero() {
		offset = 0
	}
	if offset >= conv.Members {
		return page, nil
	}
	var ask *int // nil: all
	if q.Limit > 0 {
		ask = new(q.Limit + 1)
	}
	var keys []int64
	found, err := c.Query(ctx, `SELECT `+tx.MemberColumns+`, m.member_key FROM conversations c JOIN members m ON m.conv_key = c.conv_key
		WHERE c.conv_key = $1 AND m.member_key > $2 AND m.member_key > 0 ORDER BY m.member_key LIMIT $3 OFFSET $4`, conv.Key, q.After.Tie, ask, offset)
	page.Members, err = collect(found, err, func(r pgx.CollectableRow) (m skein.Member, err error) {
		var key int64
		err = r.Scan(append(tx.MemberFields(&m), &key)...)
		keys = append(keys, key)
		return m, err
	})
	if q.Limit > 0 && len(keys) > q.Limit {
		page.Members = page.Members[:q.Limit]
		page.Next = skein.Cursor{Tie: keys[q.Limit-1]}
	}
	return page, err
}

// Audience lists all members; see store.Members. It reads what is committed, on the server
// that takes the writes, so it is never older than the revision that the caller needs.
func (s *Store) Audience(ctx context.Context, app string, id skein.ID, _ int64) (all []skein.Listener, rev int64, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		found, err := c.Query(ctx, audience, app, id, c.Now)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var client string
			var joinSeq int64
			if err := found.Scan(&rev, &client, &joinSeq); err != nil {
				return err
			}
			if client != "" {
				all = append(all, skein.NewListener(client, joinSeq))
			}
		}
		return found.Err()
	})
	if err != nil {
		return nil, 0, err
	}
	return all, rev, nil
}

const audience = `SELECT c.roster_rev, coalesce(m.client_id, ''), coalesce(m.join_seq, 0) FROM conversations c
	LEFT JOIN members m ON m.conv_key = c.conv_key
	WHERE c.app_key = ` + tx.AppKey + ` AND c.id = $2 AND c.deleted = 0 AND c.expires > $3 ORDER BY m.member_key`

// CountReaders counts the members that received and read a message; see store.Members.
func (s *Store) CountReaders(ctx context.Context, app string, id skein.ID, seq int64) (n store.Readers, err error) {
	err = s.db.Read(ctx, app, func(ctx context.Context, c tx.Conn) error {
		conv, err := c.Conversation(ctx, app, id)
		if err != nil {
			return err
		}
		return c.QueryRow(ctx, countReaders, conv.Key, seq).Scan(&n.Members, &n.Received, &n.Read)
	})
	return n, err
}

// countReaders counts the members of conversation $1 who had joined when the message $2 was
// stored; see skein.Member.Read and skein.Member.Received.
const countReaders = `SELECT count(*), count(*) FILTER (WHERE m.received_seq >= $2 OR ` + hasRead + `), count(*) FILTER (WHERE ` + hasRead + `)
	FROM conversations c JOIN members m ON m.conv_key = c.conv_key WHERE c.conv_key = $1 AND m.join_seq <= $2`

const hasRead = `greatest(m.join_seq - 1, m.cleared_seq, m.read_seq, ` + tx.SentSeq + `) >= $2`

package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// insertMember makes m a new member. adder is the client that added it; empty or m itself:
// no other client did.
func (g group) insertMember(app string, key, conv int64, id skein.ID, m skein.Member, adder string) error {
	if err := g.Arrive(key, m.Client, id); err != nil {
		return err
	}
	if n, known := g.Known.Count(app, m.Client); known {
		g.Known.KeepCount(app, m.Client, n+1)
	}
	if adder == m.Client {
		adder = ""
	}
	return g.Exec(`INSERT INTO members (conv_key, app_key, client_id, role, joined, join_seq, muted_until, moved, adder)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`, conv, key, m.Client, m.Role, m.Joined, m.JoinSeq, m.MutedUntil, g.Stamp, tx.TextOrNull(adder))
}

// memberRows is how many rows adding a member writes or reads.
const memberRows = 4

// AddMembers adds members; see store.Members.
func (s *Store) AddMembers(ctx context.Context, app string, id skein.ID, by store.Authority, clients []string, at skein.Millis, limit store.MemberLimit) ([]string, error) {
	size := tx.SmallJob + 64*len(clients)
	return tx.Write(ctx, s.db, tx.Job{App: app, Bytes: size, Rows: memberRows * len(clients)}, func(g group) ([]string, error) {
		return g.addMembers(app, id, by, clients, at, limit)
	})
}

func (g group) addMembers(app string, id skein.ID, by store.Authority, clients []string, at skein.Millis, limit store.MemberLimit) ([]string, error) {
	conv, _, err := g.Authorized(app, id, by)
	if err != nil {
		return nil, err
	}
	if err := g.mustExist(app, clients); err != nil {
		return nil, err
	}
	added, err := g.strangers(conv.Key, clients)
	if err != nil || len(added) == 0 {
		return nil, err
	}
	if limit.Members > 0 && conv.Type != skein.Room && conv.Members+len(added) > limit.Members {
		return nil, skein.About(skein.ErrTooLarge, "members")
	}
	if err := g.mustTake(app, conv.Type, added, limit); err != nil {
		return nil, err
	}
	key, err := g.KnownApp(app)
	if err != nil {
		return nil, err
	}
	for _, client := range added {
		muted, err := g.readmit(conv.Key, client, limit.Itself)
		if err != nil {
			return nil, err
		}
		m := skein.Member{Client: client, Joined: at, JoinSeq: conv.LastSeq + 1, MutedUntil: muted}
		if err := g.insertMember(app, key, conv.Key, id, m, limit.Adder); err != nil {
			return nil, err
		}
	}
	if err := g.countMembers(conv, len(added), at); err != nil {
		return nil, err
	}
	return added, g.Event(store.Entry{Kind: store.EntryMembersAdded, App: app, Conv: id, Clients: added})
}

// strangers lists the clients that are not members, each once.
func (g group) strangers(conv int64, clients []string) (strangers []string, err error) {
	seen := make(map[string]bool, len(clients))
	for _, client := range clients {
		if seen[client] {
			continue
		}
		seen[client] = true
		s, err := g.Member(conv, client)
		if err != nil {
			return nil, err
		}
		if s == nil {
			strangers = append(strangers, client)
		}
	}
	return strangers, nil
}

// RemoveMembers removes members; see store.Members.
func (s *Store) RemoveMembers(ctx context.Context, app string, id skein.ID, by store.Authority, clients []string, at, ban skein.Millis) ([]string, error) {
	size := tx.SmallJob + 64*len(clients)
	return tx.Write(ctx, s.db, tx.Job{App: app, Bytes: size, Rows: memberRows * len(clients)}, func(g group) ([]string, error) {
		return g.removeMembers(app, id, by, clients, at, ban)
	})
}

func (g group) removeMembers(app string, id skein.ID, by store.Authority, clients []string, at, ban skein.Millis) (removed []string, err error) {
	conv, me, err := g.Authorized(app, id, by)
	if err == nil && me != nil {
		err = g.mustBeBelow(conv.Key, *me, clients)
	}
	if err != nil {
		return nil, err
	}
	for _, client := range clients {
		if conv.Type == skein.Room && ban != 0 && client != by.Client {
			if err := g.ban(conv, client, ban); err != nil {
				return nil, err
			}
		}
		g.Known.ForgetMember(conv.Key, client)
		if err := g.keepMute(conv.Key, client); err != nil {
			return nil, err
		}
		was, err := g.Change(`DELETE FROM members WHERE conv_key = ?1 AND client_id = ?2`, conv.Key, client)
		if err != nil {
			return nil, err
		}
		if !was {
			continue
		}
		if err := g.Depart(conv, client); err != nil {
			return nil, err
		}
		removed = append(removed, client)
	}
	if len(removed) == 0 {
		return nil, nil
	}
	if err := g.countMembers(conv, -len(removed), at); err != nil {
		return nil, err
	}
	return removed, g.Event(store.Entry{Kind: store.EntryMembersRemoved, App: app, Conv: id, Clients: removed})
}

// mustBeBelow refuses clients whose role is not below that of me; me itself is allowed.
func (g group) mustBeBelow(conv int64, me skein.Member, clients []string) error {
	for _, client := range clients {
		if client == me.Client {
			continue
		}
		s, err := g.Member(conv, client)
		if err != nil {
			return err
		}
		if s != nil && s.Role >= me.Role {
			return skein.About(skein.ErrForbidden, client)
		}
	}
	return nil
}

// countMembers changes the member count of a conversation and raises its roster revision.
func (g group) countMembers(conv tx.ConvRow, by int, at skein.Millis) error {
	g.Known.ForgetTimeline(conv.App, conv.ID)
	_, err := g.Move(`UPDATE conversations SET member_count = member_count + ?2, roster_rev = roster_rev + 1, `+tx.Touched+`, moved = ?5
		WHERE conv_key = ?1`+tx.ReturningMoves, conv.Key, by, at, rows.PeriodOf(at), g.Stamp)
	return err
}

// mustExist returns ErrUnknownClient about the first client that does not exist.
func (g group) mustExist(app string, clients []string) error {
	for _, client := range clients {
		if _, err := g.Sender(app, client); err != nil {
			return err
		}
	}
	return nil
}

// Members is a page of members; see store.Members.
func (s *Store) Members(ctx context.Context, app string, id skein.ID, q skein.MemberQuery) (page skein.MemberPage, err error) {
	now := s.db.Millis()
	err = tx.Walk(ctx, s.db, app, func(c connection) error {
		conv, err := c.Conversation(app, id, now)
		if err != nil {
			return err
		}
		page, err = c.members(conv, q)
		return err
	})
	return page, err
}

func (c connection) members(conv tx.ConvRow, q skein.MemberQuery) (page skein.MemberPage, err error) {
	offset := q.Offset
	if !q.After.IsZero() {
		offset = 0
	}
	if offset >= conv.Members {
		return page, nil
	}
	ask := -1 // all
	if q.Limit > 0 {
		ask = q.Limit + 1
	}
	var keys []int64
	err = c.Rows(func(r *sqlite3.Stmt) {
		page.Members = append(page.Members, tx.ReadMember(r, 1))
		keys = append(keys, r.ColumnInt64(0))
	}, `SELECT m.member_key, `+tx.MemberColumns+` FROM conversations c JOIN members m ON m.conv_key = c.conv_key
		WHERE c.conv_key = ?1 AND m.member_key > ?2 ORDER BY m.member_key LIMIT ?3 OFFSET ?4`,
		conv.Key, q.After.Tie, ask, offset)
	if q.Limit > 0 && len(keys) > q.Limit {
		page.Members = page.Members[:q.Limit]
		page.Next = skein.Cursor{Tie: keys[q.Limit-1]}
	}
	return page, err
}

// Audience lists all members; see store.Members. It reads what is committed, so it is never
// older than the revision that the caller needs. The index holds every column it reads, so
// it reads no member row.
func (s *Store) Audience(ctx context.Context, app string, id skein.ID, _ int64) (all []skein.Listener, rev int64, err error) {
	now := s.db.Millis()
	err = tx.Read(ctx, s.db, app, func(c connection) error {
		return c.Rows(func(r *sqlite3.Stmt) {
			if rev == 0 {
				rev = r.ColumnInt64(2)
			}
			if r.ColumnType(0) != sqlite3.NULL {
				all = append(all, skein.NewListener(r.ColumnText(0), r.ColumnInt64(1)))
			}
		}, audience, app, id, now)
	})
	if err != nil {
		return nil, 0, err
	}
	return all, rev, nil
}

const audience = `SELECT m.client_id, m.join_seq, c.roster_rev FROM conversations c
	LEFT JOIN members m INDEXED BY members_by_joining ON m.conv_key = c.conv_key
	WHERE c.app_key = ` + tx.AppKey + ` AND c.id = ?2 AND c.deleted = 0 AND c.expires > ?3 ORDER BY m.member_key`

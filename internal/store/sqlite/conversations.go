package sqlite

import (
	"bytes"
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Conversation is one conversation and one of its members; see store.Conversations.
func (s *Store) Conversation(ctx context.Context, app string, id skein.ID, client string) (skein.Conversation, *skein.Member, error) {
	now := s.db.Millis()
	var conv tx.ConvRow
	var member *skein.Member
	err := tx.Read(ctx, s.db, app, func(c connection) error {
		found, err := c.Row(func(r *sqlite3.Stmt) {
			conv = tx.ReadConversation(r, app)
			if r.ColumnType(tx.ConversationColumnCount) != sqlite3.NULL {
				m := tx.ReadMember(r, tx.ConversationColumnCount)
				member = &m
			}
		}, `SELECT `+tx.ConversationColumns+`, `+tx.MemberColumns+` FROM conversations c
			LEFT JOIN members m ON m.conv_key = c.conv_key AND m.client_id = ?4
			WHERE c.app_key = `+tx.AppKey+` AND c.id = ?2 AND c.deleted = 0 AND c.expires > ?3`, app, id, now, client)
		if err == nil && !found {
			err = skein.ErrUnknownConversation
		}
		return err
	})
	if err != nil {
		return skein.Conversation{}, nil, err
	}
	return conv.Conversation, member, nil
}

// CreateConversation adds a conversation; see store.Conversations.
func (s *Store) CreateConversation(ctx context.Context, c skein.Conversation, members []skein.Member, limit store.MemberLimit) (skein.Conversation, bool, error) {
	type result struct {
		conv    skein.Conversation
		created bool
	}
	size := tx.SmallJob + len(c.Extend) + 64*len(members)
	r, err := tx.Write(ctx, s.db, tx.Job{App: c.App, Bytes: size, Rows: memberRows * len(members)}, func(g group) (r result, err error) {
		r.conv, r.created, err = g.createConversation(c, rows.Distinct(members), limit)
		return r, err
	})
	return r.conv, r.created, err
}

func (g group) createConversation(c skein.Conversation, members []skein.Member, limit store.MemberLimit) (skein.Conversation, bool, error) {
	app, err := g.KnownApp(c.App)
	if err != nil {
		return c, false, err
	}
	clients := make([]string, len(members))
	for i, m := range members {
		clients[i] = m.Client
	}
	if err := g.mayCreate(c.App, c.Creator); err != nil {
		return c, false, err
	}
	if err := g.mustExist(c.App, clients); err != nil {
		return c, false, err
	}
	if c.Type == skein.Private {
		if len(clients) != 2 {
			return c, false, skein.Malformed("members", "a private conversation has two different clients")
		}
		there, found, err := g.pair(c.App, clients[0], clients[1])
		if err != nil || found {
			return there, false, err
		}
	}
	if err := g.mustTake(c.App, c.Type, clients, limit); err != nil {
		return c, false, err
	}
	c.Members, c.LastSeq, c.RosterRev, c.Active = len(members), 0, 1, max(c.Active, c.Created)
	key, err := g.insertConversation(app, c)
	if err != nil {
		return c, false, err
	}
	if err := g.NameUploads(c.App, tx.ByExtend, key, c.Uploads()); err != nil {
		return c, false, err
	}
	if c.Type == skein.Private {
		first, second := rows.Pair(clients[0], clients[1])
		err := g.Exec(`INSERT INTO private_pairs (app_key, first_id, second_id, conv_key) VALUES (?1, ?2, ?3, ?4)`,
			app, first, second, key)
		if err != nil {
			return c, false, err
		}
	}
	for _, m := range members {
		m.JoinSeq = 1
		if err := g.insertMember(c.App, app, key, c.ID, m, limit.Adder); err != nil {
			return c, false, err
		}
	}
	return c, true, g.Event(store.Entry{Kind: store.EntryConversationCreated, App: c.App, Conv: c.ID, Clients: clients})
}

// mayCreate refuses a creator that does not exist or is banned. An empty creator is allowed.
func (g group) mayCreate(app, creator string) error {
	if creator == "" {
		return nil
	}
	client, err := g.Sender(app, creator)
	if err == nil && client.BannedUntil > g.Now {
		err = skein.About(skein.ErrBanned, creator)
	}
	return err
}

// insertConversation adds the row and returns its inner key. Errors: ErrConflict when the id
// is taken.
func (g group) insertConversation(app int64, c skein.Conversation) (key int64, err error) {
	expires := skein.Forever
	if c.TTL > 0 {
		expires = c.Active.Add(c.TTL)
	}
	inserted, err := g.Change(`INSERT INTO conversations
		(app_key, id, type, creator, extend, member_count, last_seq, created, updated, active, period, ttl, expires, moved)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT DO NOTHING`,
		app, c.ID, c.Type, c.Creator, engine.RawText(c.Extend), c.Members, c.Created, c.Updated, c.Active,
		rows.PeriodOf(c.Active), c.TTL.Milliseconds(), expires, g.Stamp)
	if err == nil && !inserted {
		err = skein.About(skein.ErrConflict, "conv_id")
	}
	if err != nil {
		return 0, err
	}
	key = g.DB.LastInsertRowID()
	g.Note(app, key)
	return key, nil
}

// pair is the private conversation of two clients, if they have one.
func (g group) pair(app, a, b string) (conv skein.Conversation, found bool, err error) {
	first, second := rows.Pair(a, b)
	found, err = g.Row(func(r *sqlite3.Stmt) { conv = tx.ReadConversation(r, app).Conversation },
		`SELECT `+tx.ConversationColumns+` FROM private_pairs p JOIN conversations c ON c.conv_key = p.conv_key
			WHERE p.app_key = `+tx.AppKey+` AND p.first_id = ?2 AND p.second_id = ?3`, app, first, second)
	return conv, found, err
}

// UpdateConversation changes a conversation; see store.Conversations.
func (s *Store) UpdateConversation(ctx context.Context, app string, id skein.ID, by store.Authority, change func(*skein.Conversation) error) (skein.Conversation, error) {
	return tx.Write(ctx, s.db, tx.Job{App: app, Bytes: tx.SmallJob}, func(g group) (skein.Conversation, error) {
		before, _, err := g.Authorized(app, id, by)
		if err != nil {
			return skein.Conversation{}, err
		}
		after, changed, err := rows.AlteredConversation(before.Conversation, change)
		if err != nil || !changed {
			return after, err
		}
		g.Known.ForgetTimeline(app, id)
		_, err = g.Move(`UPDATE conversations SET extend = ?2, mute_all = ?3, updated = ?4, active = ?5, period = ?6, moved = ?7
			WHERE conv_key = ?1`+tx.ReturningMoves, before.Key, engine.RawText(after.Extend), after.MuteAll, after.Updated, after.Active, rows.PeriodOf(after.Active), g.Stamp)
		if err == nil && !bytes.Equal(after.Extend, before.Extend) {
			err = g.RenameUploads(app, tx.ByExtend, before.Key, after.Uploads())
		}
		if err == nil {
			err = g.Event(store.Entry{Kind: store.EntryConversationUpdated, App: app, Conv: id})
		}
		return after, err
	})
}

// DeleteConversation deletes a conversation; see store.Conversations.
func (s *Store) DeleteConversation(ctx context.Context, app string, id skein.ID, by store.Authority) ([]string, error) {
	return tx.Write(ctx, s.db, tx.Job{App: app, Bytes: tx.SmallJob}, func(g group) (members []string, err error) {
		conv, _, err := g.Authorized(app, id, by)
		if err != nil {
			return nil, err
		}
		g.Known.ForgetTimeline(app, id)
		err = g.Rows(func(r *sqlite3.Stmt) { members = append(members, r.ColumnText(0)) },
			`SELECT client_id FROM members WHERE conv_key = ?1 ORDER BY member_key`, conv.Key)
		if err == nil {
			err = g.Exec(`DELETE FROM private_pairs WHERE conv_key = ?1`, conv.Key)
		}
		if err == nil {
			_, err = g.Move(`UPDATE conversations SET deleted = 1, moved = ?2 WHERE conv_key = ?1`+tx.ReturningMoves, conv.Key, g.Stamp)
		}
		if err == nil {
			err = g.Event(store.Entry{Kind: store.EntryConversationDeleted, App: app, Conv: id, Clients: members})
		}
		return members, err
	})
}

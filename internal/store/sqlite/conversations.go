package sqlite

import (
	"bytes"
	"context"
	"reflect"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// livingConvKey selects the inner key of conversation ?2 of app ?1, unless it is
// deleted or past its end at ?3.
const livingConvKey = `SELECT conv_key FROM conversations
	WHERE app_key = ` + appKey + ` AND id = ?2 AND deleted = 0 AND expires > ?3`

// conversation is a row with its inner key.
type conversation struct {
	skein.Conversation

	key int64
}

const (
	conversationColumns = `c.conv_key, c.id, c.type, c.creator, c.extend, c.member_count, c.last_seq,
		c.created, c.updated, c.active, c.ttl, c.mute_all, c.last_change, c.roster_rev`
	conversationColumnCount = 14
)

func readConversation(r *sqlite3.Stmt, app string) conversation {
	return conversation{
		key: r.ColumnInt64(0),
		Conversation: skein.Conversation{
			App:       app,
			ID:        idColumn(r, 1),
			Type:      smallColumn[skein.ConvType](r, 2),
			Creator:   r.ColumnText(3),
			Extend:    bytesOrNil(r, 4),
			Members:   int(r.ColumnInt64(5)),
			LastSeq:   r.ColumnInt64(6),
			Created:   millisColumn(r, 7),
			Updated:   millisColumn(r, 8),
			Active:    millisColumn(r, 9),
			TTL:       time.Duration(r.ColumnInt64(10)) * time.Millisecond,
			MuteAll:   r.ColumnBool(11),
			Changes:   r.ColumnInt64(12),
			RosterRev: r.ColumnInt64(13),
		},
	}
}

// conversation is a living conversation. Errors: ErrUnknownConversation.
func (c *connection) conversation(app string, id skein.ID, now skein.Millis) (conv conversation, err error) {
	found, err := c.row(func(r *sqlite3.Stmt) { conv = readConversation(r, app) },
		`SELECT `+conversationColumns+` FROM conversations c
			WHERE app_key = `+appKey+` AND id = ?2 AND deleted = 0 AND expires > ?3`, app, id, now)
	if err == nil && !found {
		err = skein.ErrUnknownConversation
	}
	return conv, err
}

// Conversation is one conversation and one of its members; see
// store.Conversations.
func (s *Store) Conversation(ctx context.Context, app string, id skein.ID, client string) (skein.Conversation, *skein.Member, error) {
	now := s.millis()
	var conv conversation
	var member *skein.Member
	err := s.read(ctx, app, func(c *connection) error {
		found, err := c.row(func(r *sqlite3.Stmt) {
			conv = readConversation(r, app)
			if r.ColumnType(conversationColumnCount) != sqlite3.NULL {
				m := readMember(r, conversationColumnCount)
				member = &m
			}
		}, `SELECT `+conversationColumns+`, `+memberColumns+` FROM conversations c
			LEFT JOIN members m ON m.conv_key = c.conv_key AND m.client_id = ?4
			WHERE c.app_key = `+appKey+` AND c.id = ?2 AND c.deleted = 0 AND c.expires > ?3`, app, id, now, client)
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
	size := smallJob + len(c.Extend) + 64*len(members)
	r, err := write(ctx, s.writer, job{app: c.App, bytes: size, rows: memberRows * len(members)}, func(g *group) (r result, err error) {
		r.conv, r.created, err = g.createConversation(c, distinct(members), limit)
		return r, err
	})
	return r.conv, r.created, err
}

// distinct is members with each client once, the first time it comes.
func distinct(members []skein.Member) []skein.Member {
	seen := make(map[string]bool, len(members))
	var once []skein.Member
	for _, m := range members {
		if !seen[m.Client] {
			seen[m.Client] = true
			once = append(once, m)
		}
	}
	return once
}

func (g *group) createConversation(c skein.Conversation, members []skein.Member, limit store.MemberLimit) (skein.Conversation, bool, error) {
	app, err := g.knownApp(c.App)
	if err != nil {
		return c, false, err
	}
	clients := make([]string, len(members))
	for i, m := range members {
		clients[i] = m.Client
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
	if err := g.nameUploads(c.App, byExtend, key, c.Uploads()); err != nil {
		return c, false, err
	}
	if c.Type == skein.Private {
		first, second := inOrder(clients[0], clients[1])
		err := g.exec(`INSERT INTO private_pairs (app_key, first_id, second_id, conv_key) VALUES (?1, ?2, ?3, ?4)`,
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
	return c, true, g.event(store.Entry{Kind: store.EntryConversationCreated, App: c.App, Conv: c.ID, Clients: clients})
}

// insertConversation adds the row. Errors: ErrConflict when the id is taken.
func (g *group) insertConversation(app int64, c skein.Conversation) (key int64, err error) {
	expires := skein.Forever
	if c.TTL > 0 {
		expires = c.Active.Add(c.TTL)
	}
	inserted, err := g.change(`INSERT INTO conversations
		(app_key, id, type, creator, extend, member_count, last_seq, created, updated, active, period, ttl, expires, moved)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT DO NOTHING`,
		app, c.ID, c.Type, c.Creator, rawText(c.Extend), c.Members, c.Created, c.Updated, c.Active,
		periodOf(c.Active), c.TTL.Milliseconds(), expires, g.stamp)
	if err == nil && !inserted {
		err = skein.About(skein.ErrConflict, "conv_id")
	}
	if err != nil {
		return 0, err
	}
	key = g.DB.LastInsertRowID()
	g.note(app, key)
	return key, nil
}

// pair is the private conversation of two clients, if they have one.
func (g *group) pair(app, a, b string) (conv skein.Conversation, found bool, err error) {
	first, second := inOrder(a, b)
	found, err = g.row(func(r *sqlite3.Stmt) { conv = readConversation(r, app).Conversation },
		`SELECT `+conversationColumns+` FROM private_pairs p JOIN conversations c ON c.conv_key = p.conv_key
			WHERE p.app_key = `+appKey+` AND p.first_id = ?2 AND p.second_id = ?3`, app, first, second)
	return conv, found, err
}

func inOrder(a, b string) (first, second string) { return min(a, b), max(a, b) }

// UpdateConversation alters a conversation; see store.Conversations.
func (s *Store) UpdateConversation(ctx context.Context, app string, id skein.ID, by store.Authority, change func(*skein.Conversation) error) (skein.Conversation, error) {
	return write(ctx, s.writer, job{app: app, bytes: smallJob}, func(g *group) (skein.Conversation, error) {
		before, _, err := g.authorized(app, id, by)
		if err != nil {
			return skein.Conversation{}, err
		}
		asked := before.Conversation
		if err := change(&asked); err != nil {
			return skein.Conversation{}, err
		}
		after := before.Conversation
		after.Extend, after.MuteAll, after.Updated = asked.Extend, asked.MuteAll, asked.Updated
		after.Active = max(after.Active, asked.Active)
		if reflect.DeepEqual(after, before.Conversation) {
			return after, nil
		}
		delete(g.known.places, placeName{app, id})
		_, err = g.move(`UPDATE conversations SET extend = ?2, mute_all = ?3, updated = ?4, active = ?5, period = ?6, moved = ?7
			WHERE conv_key = ?1`+returningMoves, before.key, rawText(after.Extend), after.MuteAll, after.Updated, after.Active, periodOf(after.Active), g.stamp)
		if err == nil && !bytes.Equal(after.Extend, before.Extend) {
			err = g.renameUploads(app, byExtend, before.key, after.Uploads())
		}
		if err == nil {
			err = g.event(store.Entry{Kind: store.EntryConversationUpdated, App: app, Conv: id})
		}
		return after, err
	})
}

// DeleteConversation makes a conversation unknown; see store.Conversations.
func (s *Store) DeleteConversation(ctx context.Context, app string, id skein.ID, by store.Authority) ([]string, error) {
	return write(ctx, s.writer, job{app: app, bytes: smallJob}, func(g *group) (members []string, err error) {
		conv, _, err := g.authorized(app, id, by)
		if err != nil {
			return nil, err
		}
		delete(g.known.places, placeName{app, id})
		err = g.rows(func(r *sqlite3.Stmt) { members = append(members, r.ColumnText(0)) },
			`SELECT client_id FROM members WHERE conv_key = ?1 ORDER BY member_key`, conv.key)
		if err == nil {
			err = g.exec(`DELETE FROM private_pairs WHERE conv_key = ?1`, conv.key)
		}
		if err == nil {
			_, err = g.move(`UPDATE conversations SET deleted = 1, moved = ?2 WHERE conv_key = ?1`+returningMoves, conv.key, g.stamp)
		}
		if err == nil {
			err = g.event(store.Entry{Kind: store.EntryConversationDeleted, App: app, Conv: id})
		}
		return members, err
	})
}

package postgres

import (
	"bytes"
	"context"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// Conversation is one conversation and one of its members; see store.Conversations.
func (s *Store) Conversation(ctx context.Context, app string, id skein.ID, client string) (skein.Conversation, *skein.Member, error) {
	var conv tx.ConvRow
	var member skein.Member
	err := s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) (err error) {
		conv, err = tx.ReadConversation(c.QueryRow(ctx, conversation, app, id, c.Now, client), app, tx.MemberFields(&member)...)
		return tx.Missing(err, skein.ErrUnknownConversation)
	})
	if err != nil {
		return skein.Conversation{}, nil, err
	}
	if member.Client == "" {
		return conv.Conversation, nil, nil
	}
	return conv.Conversation, &member, nil
}

// conversation reads conversation $2 of app $1 and the member $4, whose columns are empty if
// it is not a member.
const conversation = `SELECT ` + tx.ConversationColumns + `, ` + maybeMember + ` FROM conversations c
	LEFT JOIN members m ON m.conv_key = c.conv_key AND m.client_id = $4
	WHERE c.app_key = ` + tx.AppKey + ` AND c.id = $2 AND c.deleted = 0 AND c.expires > $3`

// maybeMember is tx.MemberColumns where there may be no member.
const maybeMember = `coalesce(m.client_id, ''), coalesce(m.role, 0), coalesce(m.joined, 0), coalesce(m.join_seq, 0), coalesce(m.muted_until, 0),
	coalesce(m.nickname, ''), coalesce(m.read_seq, 0), coalesce(m.received_seq, 0), coalesce(` + tx.SentSeq + `, 0), coalesce(m.cleared_seq, 0),
	coalesce(m.pinned, 0), coalesce(m.muted, false), coalesce(m.archived, false), coalesce(m.draft, ''), coalesce(m.unread_mark, false)`

// created is what CreateConversation answers.
type created struct {
	conv skein.Conversation
	new  bool
}

// CreateConversation adds a conversation; see store.Conversations. Most who ask for a private
// conversation are answered an old one, so that is looked for before anything is locked.
func (s *Store) CreateConversation(ctx context.Context, c skein.Conversation, members []skein.Member, limit store.MemberLimit) (skein.Conversation, bool, error) {
	members = rows.Distinct(members)
	clients := make([]string, len(members))
	for i, m := range members {
		clients[i] = m.Client
	}
	if c.Type == skein.Private && len(clients) == 2 {
		there, found, err := s.knownPair(ctx, c, clients)
		if err != nil || found {
			return there, false, err
		}
	}
	r, err := settled(ctx, s.db, c.App, func(ctx context.Context, t *tx.Tx) (r created, err error) {
		app, err := holdApp(ctx, t, c.App)
		if err != nil {
			return r, err
		}
		n := newConversation{Tx: t, app: app, conv: c, members: members, clients: clients, limit: limit}
		return n.create(ctx)
	})
	return r.conv, r.new, err
}

// knownPair is the private conversation of two clients, if they have one and its creator may
// be answered it. Otherwise the transaction that creates one finds out what is wrong.
func (s *Store) knownPair(ctx context.Context, c skein.Conversation, clients []string) (conv skein.Conversation, found bool, err error) {
	err = s.db.Read(ctx, c.App, func(ctx context.Context, r tx.Conn) error {
		query, err := r.Query(ctx, `SELECT id, banned_until FROM clients WHERE app_key = `+tx.AppKey+` AND id = ANY($2) AND NOT deleted`,
			c.App, append(slices.Clip(clients), c.Creator))
		banned, err := collectMap[string, skein.Millis](query, err)
		for _, client := range clients {
			if _, living := banned[client]; !living {
				return err
			}
		}
		if until, living := banned[c.Creator]; err != nil || c.Creator != "" && (!living || until > r.Now) {
			return err
		}
		row, err := pair(ctx, r, c.App, clients)
		conv = row.Conversation
		found, err = tx.Found(err)
		return err
	})
	return conv, found, err
}

// pair is the private conversation of two clients. Errors: pgx.ErrNoRows.
func pair(ctx context.Context, c tx.Conn, app string, clients []string) (tx.ConvRow, error) {
	first, second := rows.Pair(clients[0], clients[1])
	return tx.ReadConversation(c.QueryRow(ctx, `SELECT `+tx.ConversationColumns+` FROM private_pairs p JOIN conversations c ON c.conv_key = p.conv_key
		WHERE p.app_key = `+tx.AppKey+` AND p.first_id = $2 AND p.second_id = $3`, app, first, second), app)
}

// UpdateConversation changes a conversation; see store.Conversations.
func (s *Store) UpdateConversation(ctx context.Context, app string, id skein.ID, by store.Authority, change func(*skein.Conversation) error) (skein.Conversation, error) {
	return tx.Result(ctx, s.db, app, func(ctx context.Context, t *tx.Tx) (skein.Conversation, error) {
		before, _, err := t.Authorized(ctx, app, id, by)
		if err != nil {
			return skein.Conversation{}, err
		}
		after, changed, err := rows.AlteredConversation(before.Conversation, change)
		if err != nil || !changed {
			return after, err
		}
		_, err = t.Exec(ctx, `UPDATE conversations SET extend = $2, mute_all = $3, updated = $4, active = $5, period = $6, moved = `+tx.Stamp+`
			WHERE conv_key = $1`, before.Key, after.Extend, after.MuteAll, after.Updated, after.Active, rows.PeriodOf(after.Active))
		if err == nil && !bytes.Equal(after.Extend, before.Extend) {
			err = t.RenameUploads(ctx, before.AppKey, tx.Thing{Kind: tx.ByExtend, Key: before.Key}, after.Uploads())
		}
		if err == nil {
			err = t.Event(ctx, store.Entry{Kind: store.EntryConversationUpdated, App: app, Conv: id})
		}
		return after, err
	})
}

// DeleteConversation deletes a conversation; see store.Conversations.
func (s *Store) DeleteConversation(ctx context.Context, app string, id skein.ID, by store.Authority) ([]string, error) {
	return tx.Result(ctx, s.db, app, func(ctx context.Context, t *tx.Tx) (members []string, err error) {
		conv, _, err := t.Authorized(ctx, app, id, by)
		if err != nil {
			return nil, err
		}
		found, err := t.Query(ctx, `SELECT client_id FROM members WHERE conv_key = $1 ORDER BY member_key`, conv.Key)
		if members, err = collectList[string](found, err); err != nil {
			return nil, err
		}
		_, err = t.Exec(ctx, `DELETE FROM private_pairs WHERE conv_key = $1`, conv.Key)
		if err == nil {
			_, err = t.Exec(ctx, `UPDATE conversations SET deleted = 1, moved = `+tx.Stamp+` WHERE conv_key = $1`, conv.Key)
		}
		if err == nil {
			err = t.Event(ctx, store.Entry{Kind: store.EntryConversationDeleted, App: app, Conv: id, Clients: members})
		}
		return members, err
	})
}

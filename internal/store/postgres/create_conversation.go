package postgres

import (
	"context"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// newConversation is a conversation that a transaction creates.
type newConversation struct {
	*tx.Tx

	app     int64
	conv    skein.Conversation
	members []skein.Member
	clients []string // of members
	limit   store.MemberLimit
}

// create adds the conversation. Nobody else knows it before the commit, so it needs no lock;
// its clients do. Those of a private one are locked so that only one transaction at a time
// creates what the two may have once.
func (n *newConversation) create(ctx context.Context) (r created, err error) {
	c := n.conv
	everyone := n.clients
	if c.Creator != "" {
		everyone = append(slices.Clip(everyone), c.Creator)
	}
	living, err := n.LockClients(ctx, n.app, everyone, n.limit.PerClient <= 0 && c.Type != skein.Private)
	if err != nil {
		return r, err
	}
	if err := n.mayCreate(living); err != nil {
		return r, err
	}
	if c.Type == skein.Private {
		if len(n.clients) != 2 {
			return r, skein.Malformed("members", "a private conversation has two different clients")
		}
		there, err := pair(ctx, n.Conn, c.App, n.clients)
		if found, err := tx.Found(err); err != nil || found {
			return created{conv: there.Conversation}, err
		}
	}
	if err := mustTake(ctx, n.Tx, n.app, c.Type, n.clients, living, n.limit); err != nil {
		return r, err
	}
	c.Members, c.LastSeq, c.RosterRev, c.Active = len(n.members), 0, 1, max(c.Active, c.Created)
	key, err := insertConversation(ctx, n.Tx, n.app, c)
	if err != nil {
		return r, err
	}
	if c.Type == skein.Private {
		err = n.keepPair(ctx, key)
	}
	if err == nil {
		err = n.NameUploads(ctx, n.app, tx.Thing{Kind: tx.ByExtend, Key: key}, c.Uploads())
	}
	if err == nil {
		err = insertMembers(ctx, n.Tx, tx.ConvRow{Conversation: c, Key: key, AppKey: n.app}, n.members, n.limit.Adder)
	}
	if err == nil {
		err = n.Event(ctx, store.Entry{Kind: store.EntryConversationCreated, App: c.App, Conv: c.ID, Clients: n.clients})
	}
	return created{conv: c, new: true}, err
}

// mayCreate refuses a creator or members that do not exist, and a creator that is banned. An
// empty creator is allowed.
func (n *newConversation) mayCreate(living map[string]skein.Client) error {
	if creator := n.conv.Creator; creator != "" {
		switch client, ok := living[creator]; {
		case !ok:
			return skein.About(skein.ErrUnknownClient, creator)
		case client.BannedUntil > n.Now:
			return skein.About(skein.ErrBanned, creator)
		}
	}
	return mustExist(living, n.clients)
}

// keepPair records that the conversation is the private one of its two members. Errors:
// errChanged when another transaction has recorded one.
func (n *newConversation) keepPair(ctx context.Context, key int64) error {
	first, second := rows.Pair(n.clients[0], n.clients[1])
	done, err := n.Exec(ctx, `INSERT INTO private_pairs (app_key, first_id, second_id, conv_key) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		n.app, first, second, key)
	if err == nil && done.RowsAffected() == 0 {
		err = errChanged
	}
	return err
}

// insertConversation adds the row and returns its inner key. Errors: ErrConflict when the id
// is taken.
func insertConversation(ctx context.Context, t *tx.Tx, app int64, c skein.Conversation) (key int64, err error) {
	expires := skein.Forever
	if c.TTL > 0 {
		expires = c.Active.Add(c.TTL)
	}
	err = t.QueryRow(ctx, `INSERT INTO conversations
		(app_key, id, type, creator, extend, member_count, last_seq, created, updated, active, period, ttl, expires, moved)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $12, `+tx.Stamp+`) ON CONFLICT DO NOTHING RETURNING conv_key`,
		app, c.ID, c.Type, c.Creator, c.Extend, c.Members, c.Created, c.Updated, c.Active,
		rows.PeriodOf(c.Active), c.TTL.Milliseconds(), expires).Scan(&key)
	return key, tx.Missing(err, skein.About(skein.ErrConflict, "conv_id"))
}

package tx

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// LivingConvKey is SQL for the inner key of conversation $2 of app $1, unless it is deleted
// or has expired at $3.
const LivingConvKey = `SELECT conv_key FROM conversations
	WHERE app_key = ` + AppKey + ` AND id = $2 AND deleted = 0 AND expires > $3`

// ConvRow is a conversation's row with its inner keys.
type ConvRow struct {
	skein.Conversation

	Key, AppKey int64
}

// ConversationColumns are what ReadConversation reads, in its order.
const ConversationColumns = `c.conv_key, c.app_key, c.id, c.type, c.creator, c.extend, c.member_count, c.last_seq,
	c.created, c.updated, c.active, c.ttl, c.mute_all, c.last_change, c.roster_rev`

// ReadConversation reads one row of ConversationColumns, and more columns behind them.
func ReadConversation(row pgx.Row, app string, more ...any) (c ConvRow, err error) {
	var ttl int64
	c.App = app
	err = row.Scan(append([]any{
		&c.Key, &c.AppKey, &c.ID, &c.Type, &c.Creator, &c.Extend, &c.Members, &c.LastSeq,
		&c.Created, &c.Updated, &c.Active, &ttl, &c.MuteAll, &c.Changes, &c.RosterRev,
	}, more...)...)
	c.TTL = time.Duration(ttl) * time.Millisecond
	return c, err
}

// Conversation is a living conversation. Errors: ErrUnknownConversation.
func (c Conn) Conversation(ctx context.Context, app string, id skein.ID) (ConvRow, error) {
	conv, err := ReadConversation(c.QueryRow(ctx, `SELECT `+ConversationColumns+` FROM conversations c
		WHERE app_key = `+AppKey+` AND id = $2 AND deleted = 0 AND expires > $3`, app, id, c.Now), app)
	return conv, Missing(err, skein.ErrUnknownConversation)
}

// Locked is Conversation under the conversation's lock. Errors: ErrUnknownConversation.
func (t *Tx) Locked(ctx context.Context, app string, id skein.ID) (ConvRow, error) {
	var key int64
	err := t.QueryRow(ctx, LivingConvKey, app, id, t.Now).Scan(&key)
	if err == nil {
		err = t.LockConversations(ctx, key)
	}
	if err != nil {
		return ConvRow{}, Missing(err, skein.ErrUnknownConversation)
	}
	// It is read again: what was read before the lock may be old.
	conv, err := t.Conversation(ctx, app, id)
	if err == nil && conv.Key != key {
		err = skein.ErrUnknownConversation // it was removed, and another has its id
	}
	return conv, err
}

// Authorized locks and reads a conversation and checks that by may act in it. me is by's
// client as a member; nil: it is not a member, or by is the backend. Errors:
// ErrUnknownConversation, and those of Authorize.
func (t *Tx) Authorized(ctx context.Context, app string, id skein.ID, by store.Authority) (conv ConvRow, me *skein.Member, err error) {
	if conv, err = t.Locked(ctx, app, id); err == nil {
		me, err = t.Authorize(ctx, conv, by)
	}
	return conv, me, err
}

// Authorize checks that by may act in a locked conversation, by the member's row as it is
// under the lock. The client's row is locked for sharing: a ban that is answered first is
// obeyed. Errors: those of store.Authority, ErrUnknownClient, ErrBanned.
func (t *Tx) Authorize(ctx context.Context, conv ConvRow, by store.Authority) (me *skein.Member, err error) {
	if by.Client == "" {
		return nil, by.Check(conv.Conversation, nil)
	}
	m, err := ReadMember(t.QueryRow(ctx, `SELECT `+MemberColumns+` FROM conversations c JOIN members m ON m.conv_key = c.conv_key
		WHERE c.conv_key = $1 AND m.client_id = $2`, conv.Key, by.Client))
	found, err := Found(err)
	if err != nil {
		return nil, err
	}
	if found {
		me = &m
	}
	if err := by.Check(conv.Conversation, me); err != nil {
		return nil, err
	}
	living, err := t.LockClients(ctx, conv.AppKey, []string{by.Client}, true)
	if err != nil {
		return nil, err
	}
	switch client, ok := living[by.Client]; {
	case !ok:
		return nil, skein.About(skein.ErrUnknownClient, by.Client)
	case client.BannedUntil > t.Now:
		return nil, skein.About(skein.ErrBanned, by.Client)
	}
	return me, nil
}

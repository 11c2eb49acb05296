package tx

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Authorized reads a conversation and checks that by may act in it. me is by's client as a
// member; nil: it is not a member, or by is the backend. Errors: ErrUnknownConversation, and
// those of Authorize.
func (g *Group) Authorized(app string, id skein.ID, by store.Authority) (conv ConvRow, me *skein.Member, err error) {
	if conv, err = g.Conversation(app, id, g.Now); err == nil {
		me, err = g.Authorize(conv, by)
	}
	return conv, me, err
}

// Authorize checks that by may act in a conversation, by the member's row as this transaction
// sees it. Errors: those of store.Authority, ErrUnknownClient, ErrBanned.
func (g *Group) Authorize(conv ConvRow, by store.Authority) (me *skein.Member, err error) {
	if by.Client == "" {
		return nil, by.Check(conv.Conversation, nil)
	}
	_, err = g.Row(func(r *sqlite3.Stmt) {
		m := ReadMember(r, 0)
		me = &m
	}, `SELECT `+MemberColumns+` FROM conversations c JOIN members m ON m.conv_key = c.conv_key
		WHERE c.conv_key = ?1 AND m.client_id = ?2`, conv.Key, by.Client)
	if err == nil {
		err = by.Check(conv.Conversation, me)
	}
	if err != nil {
		return nil, err
	}
	client, err := g.Sender(conv.App, by.Client)
	if err == nil && client.BannedUntil > g.Now {
		err = skein.About(skein.ErrBanned, by.Client)
	}
	return me, err
}

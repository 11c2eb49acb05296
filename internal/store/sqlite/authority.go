package sqlite

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// authorized is a conversation in which by may write, and by's client as its member; nil:
// it is none, or the backend. Errors: ErrUnknownConversation, those of authorize.
func (g *group) authorized(app string, id skein.ID, by store.Authority) (conv conversation, me *skein.Member, err error) {
	if conv, err = g.conversation(app, id, g.now); err == nil {
		me, err = g.authorize(conv, by)
	}
	return conv, me, err
}

// authorize checks by. Errors: those of store.Authority, ErrUnknownClient, ErrBanned.
func (g *group) authorize(conv conversation, by store.Authority) (me *skein.Member, err error) {
	if by.Client == "" {
		return nil, by.Check(conv.Conversation, nil)
	}
	_, err = g.row(func(r *sqlite3.Stmt) {
		m := readMember(r, 0)
		me = &m
	}, `SELECT `+memberColumns+` FROM conversations c JOIN members m ON m.conv_key = c.conv_key
		WHERE c.conv_key = ?1 AND m.client_id = ?2`, conv.key, by.Client)
	if err == nil {
		err = by.Check(conv.Conversation, me)
	}
	if err != nil {
		return nil, err
	}
	client, err := g.sender(conv.App, by.Client)
	if err == nil && client.bannedUntil > g.now {
		err = skein.About(skein.ErrBanned, by.Client)
	}
	return me, err
}

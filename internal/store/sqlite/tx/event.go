package tx

import (
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// Event adds an entry to the feed, in the transaction that did what the entry tells. Messages
// need no event: the feed reads them by their keys, which ascend in commit order. An entry
// with more than store.MaxEntryClients clients becomes several.
func (g *Group) Event(e store.Entry) error {
	first, rest := e.Clients, []string(nil)
	if len(first) > store.MaxEntryClients {
		first, rest = first[:store.MaxEntryClients], first[store.MaxEntryClients:]
	}
	next, err := g.NextMessage()
	if err != nil {
		return err
	}
	detail, err := rows.EventDetail(e, first)
	if err != nil {
		return err
	}
	err = g.Exec(`INSERT INTO events (message_key, kind, at, app_id, conv_id, change_seq, client_id, clients)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
		next-1, int64(e.Kind), g.Now, e.App, IDOrNull(e.Conv), e.Change, TextOrNull(e.Client), engine.RawText(detail))
	if err != nil || len(rest) == 0 {
		return err
	}
	switch e.Kind {
	case store.EntryConversationCreated:
		e.Kind = store.EntryMembersAdded
	case store.EntryConversationDeleted:
		e.Kind = store.EntryMembersRemoved
	}
	e.Clients = rest
	return g.Event(e)
}

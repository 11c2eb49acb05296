package sqlite

import (
	"encoding/json"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// event writes what the feed tells of a deed, in the transaction of the deed. Messages
// need no row: their keys ascend in commit order.
func (g *group) event(e store.Entry) error {
	first, rest := e.Clients, []string(nil)
	if len(first) > store.MaxEntryClients {
		first, rest = first[:store.MaxEntryClients], first[store.MaxEntryClients:]
	}
	next, err := g.nextMessage()
	if err != nil {
		return err
	}
	err = g.exec(`INSERT INTO events (message_key, kind, at, app_id, conv_id, change_seq, client_id, clients)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
		next-1, int64(e.Kind), g.now, e.App, idOrNull(e.Conv), e.Change, textOrNull(e.Client), rawText(mentionsJSON(first)))
	if err != nil || len(rest) == 0 {
		return err
	}
	if e.Kind == store.EntryConversationCreated {
		e.Kind = store.EntryMembersAdded
	}
	e.Clients = rest
	return g.event(e)
}

// clientEvents tells how a client was altered.
func (g *group) clientEvents(before, after skein.Client) error {
	for _, one := range []struct {
		happened bool
		kind     store.EntryKind
	}{
		{!sameCuts(before, after), store.EntryClientLoggedOut},
		{after.BannedUntil > before.BannedUntil, store.EntryClientBanned},
		{after.BannedUntil < before.BannedUntil, store.EntryClientUnbanned},
		{string(after.Ext) != string(before.Ext) || after.AddBy != before.AddBy, store.EntryClientUpdated},
	} {
		if !one.happened {
			continue
		}
		if err := g.event(store.Entry{Kind: one.kind, App: before.App, Client: before.ID}); err != nil {
			return err
		}
	}
	return nil
}

func sameCuts(before, after skein.Client) bool {
	if before.Cut != after.Cut || len(before.DeviceCuts) != len(after.DeviceCuts) {
		return false
	}
	for device, cut := range after.DeviceCuts {
		if before.DeviceCuts[device] != cut {
			return false
		}
	}
	return true
}

// leftEvents tells that a client who is being deleted left conversations.
func (g *group) leftEvents(app, client string, left []skein.ID) error {
	for _, conv := range left {
		if err := g.event(store.Entry{Kind: store.EntryMembersRemoved, App: app, Conv: conv, Clients: []string{client}}); err != nil {
			return err
		}
	}
	return nil
}

// erasedEvent tells that an erasure has come to its end.
func (g *group) erasedEvent(e erasure) error {
	entry := store.Entry{Kind: store.EntryClientErased, Client: e.client}
	found, err := g.row(func(r *sqlite3.Stmt) { entry.App = r.ColumnText(0) },
		`SELECT id FROM apps WHERE app_key = ?1 AND deleted = 0`, e.app)
	if err != nil || !found {
		return err
	}
	return g.event(entry)
}

// expiredEvent tells of a temporary conversation whose end has come, before Purge marks
// it as deleted.
func (p *purge) expiredEvent(conv int64) error {
	e := store.Entry{Kind: store.EntryConversationDeleted}
	found, err := p.row(func(r *sqlite3.Stmt) { e.App, e.Conv = r.ColumnText(0), idColumn(r, 1) },
		`SELECT a.id, c.id FROM conversations c JOIN apps a ON a.app_key = c.app_key
			WHERE c.conv_key = ?1 AND c.deleted = 0 AND a.deleted = 0`, conv)
	if err != nil || !found {
		return err
	}
	return p.event(e)
}

// keepMessageKey writes down the newest message key before messages are removed, for
// after a restart nextMessage would give it again, and a reader of the feed has passed it.
func (p *purge) keepMessageKey() error {
	next, err := p.nextMessage()
	if err != nil {
		return err
	}
	return p.exec(`UPDATE history SET message_key = ?1 WHERE message_key < ?1`, next-1)
}

// forgetEvents removes the oldest events that are no longer kept, and reports whether
// there were any. The newest event stays, so that its key is not given twice.
func (p *purge) forgetEvents() (found bool, err error) {
	last, n := int64(0), 0
	old := true
	err = p.rows(func(r *sqlite3.Stmt) {
		if old = old && millisColumn(r, 1) < p.eventHorizon(); old {
			last = r.ColumnInt64(0)
			n++
		}
	}, `SELECT event_key, at FROM events WHERE event_key < (SELECT max(event_key) FROM events) ORDER BY event_key LIMIT ?1`, p.left)
	if err != nil || n == 0 {
		return false, err
	}
	p.left -= n
	return true, p.exec(`DELETE FROM events WHERE event_key <= ?1`, last)
}

// oldEvents reports whether forgetEvents has something to do.
func (p *purge) oldEvents() (found bool, err error) {
	_, err = p.row(func(r *sqlite3.Stmt) { found = millisColumn(r, 0) < p.eventHorizon() },
		`SELECT at FROM events WHERE event_key < (SELECT max(event_key) FROM events) ORDER BY event_key LIMIT 1`)
	return found, err
}

func (p *purge) eventHorizon() skein.Millis {
	return p.now.Add(-store.EventDays * 24 * time.Hour)
}

// readEvent copies one row of eventsAfter.
func readEvent(r *sqlite3.Stmt) store.Entry {
	e := store.Entry{
		Kind: smallColumn[store.EntryKind](r, 2), At: millisColumn(r, 3), App: r.ColumnText(4), Conv: idColumn(r, 5),
		Change: r.ColumnInt64(6), Client: r.ColumnText(7),
	}
	if list := r.ColumnRawText(8); len(list) > 0 {
		_ = json.Unmarshal(list, &e.Clients) // written by event
	}
	return e
}

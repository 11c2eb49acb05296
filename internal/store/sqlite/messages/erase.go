package messages

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// eraseLooks bounds the messages and conversations that one EraseMessages reads, eraseRows
// about the changes that it makes. There is no index by sender, which would make every
// message dearer, so it reads all messages of the app.
const (
	eraseLooks = 5000
	eraseRows  = 100
)

// EraseMessages blanks the messages of deleted clients and removes their reactions; see
// store.Upkeep. It searches with a reader and changes in a commit.
func (s *Store) EraseMessages(ctx context.Context, now skein.Millis) (done store.Erased, more bool, err error) {
	var e tx.Erasure
	var found bool
	var keys []int64
	var changes int
	err = tx.Walk(ctx, s.db, "", func(c connection) error {
		if e, found, err = c.firstErasure(); err != nil || !found {
			return err
		}
		keys, changes, err = c.toErase(&e)
		return err
	})
	if err != nil || !found {
		return done, false, err
	}
	type result struct {
		done store.Erased
		more bool
	}
	r, err := tx.Write(ctx, s.db, tx.Job{Bytes: tx.SmallJob + 8*len(keys), Rows: 4 * changes}, func(g group) (r result, err error) {
		r.done, r.more, err = g.erase(e, keys, now)
		return r, err
	})
	return r.done, r.more, err
}

func (c connection) firstErasure() (e tx.Erasure, found bool, err error) {
	found, err = c.Row(func(r *sqlite3.Stmt) {
		e = tx.Erasure{
			Key: r.ColumnInt64(0), App: r.ColumnInt64(1), Client: r.ColumnText(2), Incarnation: r.ColumnInt64(3),
			Conv: r.ColumnBlob(4, []byte{}), Seq: r.ColumnInt64(5),
		}
	}, `SELECT erasure_key, app_key, client_id, incarnation, conv_id, seq FROM erasures ORDER BY erasure_key LIMIT 1`)
	return e, found, err
}

// toErase finds the next messages to change and moves e past the last one that it read. A
// message that the client reacted to needs one change for each emoji.
func (c connection) toErase(e *tx.Erasure) (keys []int64, changes int, err error) {
	for looks := 0; looks < eraseLooks && changes < eraseRows && !e.Done; looks++ {
		n := 0
		err := c.eachToErase(*e, func(key, seq int64, due int) {
			if changes >= eraseRows {
				return // the next step begins here
			}
			n++
			e.Seq = seq
			if due > 0 {
				keys = append(keys, key)
				changes += due
			}
		})
		if err != nil {
			return nil, 0, err
		}
		if looks += n; n == eraseRows || changes >= eraseRows {
			continue
		}
		e.Seq = 0
		found, err := c.Row(func(r *sqlite3.Stmt) { e.Conv = r.ColumnBlob(0, []byte{}) }, eraseNext, e.App, e.Conv)
		if err != nil {
			return nil, 0, err
		}
		e.Done = !found
	}
	return keys, changes, nil
}

// eachToErase calls see for the next eraseRows messages of the conversation that e has
// reached, with the number of changes that each needs.
func (c connection) eachToErase(e tx.Erasure, see func(key, seq int64, due int)) error {
	var conv int64
	found, err := c.Row(func(r *sqlite3.Stmt) { conv = r.ColumnInt64(0) },
		`SELECT conv_key FROM conversations WHERE app_key = ?1 AND id = ?2`, e.App, e.Conv)
	if err != nil || !found {
		return err
	}
	return c.Rows(func(r *sqlite3.Stmt) { see(r.ColumnInt64(0), r.ColumnInt64(1), r.ColumnInt(2)) },
		eraseIn, conv, e.Seq, e.Incarnation, e.Client, eraseRows)
}

// The emojis of the summary give the whole key of one client's reactions, so the thousands of
// other reactions are not read.
const (
	eraseIn = `SELECT message_key, seq, CASE
			WHEN sender = ?4 THEN status = 1 AND incarnation <= ?3
			WHEN reactions IS NULL THEN 0
			ELSE (SELECT count(*) FROM json_each(iif(json_valid(reactions), reactions, '[]')) j CROSS JOIN reactions r
				WHERE r.conv_key = m.conv_key AND r.seq = m.seq AND r.emoji = j.value ->> 'Emoji' AND r.client_id = ?4 AND r.incarnation <= ?3)
			END
		FROM messages m WHERE conv_key = ?1 AND seq > ?2 ORDER BY seq LIMIT ?5`
	eraseNext = `SELECT id FROM conversations WHERE app_key = ?1 AND id > ?2 ORDER BY id LIMIT 1`
)

// erase changes the messages and records how far e has come. Clients that have a copy learn
// of it from the log of changes.
func (g group) erase(e tx.Erasure, keys []int64, now skein.Millis) (done store.Erased, more bool, err error) {
	done.Client = e.Client
	if _, err := g.Row(func(r *sqlite3.Stmt) { done.App = r.ColumnText(0) }, `SELECT id FROM apps WHERE app_key = ?1`, e.App); err != nil {
		return done, false, err
	}
	for _, key := range keys {
		if err := g.eraseMessage(e, key, now, &done); err != nil {
			return done, false, err
		}
	}
	if !e.Done {
		return done, true, g.Exec(`UPDATE erasures SET conv_id = ?2, seq = ?3 WHERE erasure_key = ?1`, e.Key, e.Conv, e.Seq)
	}
	err = g.Exec(`DELETE FROM erasures WHERE erasure_key = ?1`, e.Key)
	if err == nil {
		err = g.erasedEvent(e)
	}
	if err == nil {
		_, more, err = g.conn().firstErasure()
	}
	return done, more, err
}

// eraseMessage blanks a message that the client sent, or removes the client's reactions to
// the message of another, and counts that. It does nothing if that was done meanwhile.
func (g group) eraseMessage(e tx.Erasure, key int64, now skein.Millis, done *store.Erased) error {
	at, id, found, err := g.whereabouts(key)
	if err != nil || !found {
		return err
	}
	m, err := g.subject(at, id, "")
	if err != nil {
		return err
	}
	if m.Sender != e.Client {
		n, err := g.takeBack(&at, m, e, now)
		done.Reactions += n
		return err
	}
	if m.of > e.Incarnation {
		return nil
	}
	c := skein.Change{Seq: at.Changes + 1, Kind: skein.ChangeRecall, At: now}
	erased, err := g.blank(at, &m, c, skein.StatusDeleted)
	if err != nil || !erased {
		return err
	}
	done.Messages++
	return g.record(at, &m, c)
}

// whereabouts are the conversation and the id of a message. Either may be deleted.
func (g group) whereabouts(key int64) (at tx.ConvRow, id skein.ID, found bool, err error) {
	found, err = g.Row(func(r *sqlite3.Stmt) {
		at = tx.ReadConversation(r, r.ColumnText(tx.ConversationColumnCount))
		id = engine.ID(r, tx.ConversationColumnCount+1)
	}, `SELECT `+tx.ConversationColumns+`, a.id, m.id FROM messages m
		JOIN conversations c ON c.conv_key = m.conv_key JOIN apps a ON a.app_key = c.app_key
		WHERE m.message_key = ?1`, key)
	return at, id, found, err
}

// erasedEvent adds the event that an erasure is complete.
func (g group) erasedEvent(e tx.Erasure) error {
	entry := store.Entry{Kind: store.EntryClientErased, Client: e.Client}
	found, err := g.Row(func(r *sqlite3.Stmt) { entry.App = r.ColumnText(0) },
		`SELECT id FROM apps WHERE app_key = ?1 AND deleted = 0`, e.App)
	if err != nil || !found {
		return err
	}
	return g.Event(entry)
}

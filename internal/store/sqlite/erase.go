package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// eraseLooks bounds the messages that one EraseMessages looks at, eraseRows those
// that it changes. Senders have no index, which would cost every message; a
// deletion with erase is rare and may take its time.
const (
	eraseLooks = 20_000
	eraseRows  = 500
)

// erasure is one line of the table: whose messages, and where it has come to.
type erasure struct {
	key    int64
	app    int64
	client string
	done   int64
	upto   int64
}

// markForErasure notes a deleted client. Its messages are those up to the newest
// key now: the client may be created anew and speak again.
func (g *group) markForErasure(app, client string) error {
	next, err := g.nextMessage()
	if err != nil {
		return err
	}
	return g.exec(`INSERT INTO erasures (app_key, client_id, done, upto) VALUES (`+appKey+`, ?2, 0, ?3)`,
		app, client, next-1)
}

// EraseMessages empties messages of deleted clients; see store.Upkeep. It looks
// beside the writer and changes in a commit.
func (s *Store) EraseMessages(ctx context.Context, now skein.Millis) (more bool, err error) {
	var e erasure
	var found bool
	var keys []int64
	err = s.readers.snapshot(ctx, func(c *connection) error {
		if e, found, err = c.firstErasure(); err != nil || !found {
			return err
		}
		keys, err = c.toErase(&e)
		return err
	})
	if err != nil || !found {
		return false, err
	}
	return write(ctx, s.writer, job{bytes: smallJob + 8*len(keys), rows: 4 * len(keys)}, func(g *group) (bool, error) {
		return g.erase(e, keys, now)
	})
}

func (c *connection) firstErasure() (e erasure, found bool, err error) {
	found, err = c.row(func(r *sqlite3.Stmt) {
		e = erasure{r.ColumnInt64(0), r.ColumnInt64(1), r.ColumnText(2), r.ColumnInt64(3), r.ColumnInt64(4)}
	}, `SELECT erasure_key, app_key, client_id, done, upto FROM erasures ORDER BY erasure_key LIMIT 1`)
	return e, found, err
}

// toErase finds the next messages to empty and moves e.done behind the last one
// that was looked at.
func (c *connection) toErase(e *erasure) (keys []int64, err error) {
	end := min(e.done+eraseLooks, e.upto)
	err = c.rows(func(r *sqlite3.Stmt) { keys = append(keys, r.ColumnInt64(0)) },
		`SELECT m.message_key FROM messages m JOIN conversations c ON c.conv_key = m.conv_key
			WHERE m.message_key > ?1 AND m.message_key <= ?2 AND m.sender = ?3 AND c.app_key = ?4 AND m.status = 1
			ORDER BY m.message_key LIMIT ?5`, e.done, end, e.client, e.app, eraseRows)
	e.done = end
	if len(keys) == eraseRows {
		e.done = keys[len(keys)-1]
	}
	return keys, err
}

// erase empties the messages and writes down how far e has come. Who has one of
// them learns of it from the log of changes.
func (g *group) erase(e erasure, keys []int64, now skein.Millis) (more bool, err error) {
	for _, key := range keys {
		if err := g.eraseMessage(key, now); err != nil {
			return false, err
		}
	}
	if e.done < e.upto {
		return true, g.exec(`UPDATE erasures SET done = ?2 WHERE erasure_key = ?1`, e.key, e.done)
	}
	if err := g.exec(`DELETE FROM erasures WHERE erasure_key = ?1`, e.key); err != nil {
		return false, err
	}
	_, more, err = g.firstErasure()
	return more, err
}

// eraseMessage empties a message, unless it is gone or empty by now.
func (g *group) eraseMessage(key int64, now skein.Millis) error {
	at, id, found, err := g.whereabouts(key)
	if err != nil || !found {
		return err
	}
	m, err := g.subject(at, id, "")
	if err != nil {
		return err
	}
	c := skein.Change{Seq: at.Changes + 1, Kind: skein.ChangeRecall, At: now}
	erased, err := g.blank(at, &m, c, skein.StatusDeleted)
	if err != nil || !erased {
		return err
	}
	return g.record(at, &m, c)
}

// whereabouts are the conversation and the id of a message, dead or alive.
func (g *group) whereabouts(key int64) (at conversation, id skein.ID, found bool, err error) {
	found, err = g.row(func(r *sqlite3.Stmt) {
		at = readConversation(r, r.ColumnText(conversationColumnCount))
		id = idColumn(r, conversationColumnCount+1)
	}, `SELECT `+conversationColumns+`, a.id, m.id FROM messages m
		JOIN conversations c ON c.conv_key = m.conv_key JOIN apps a ON a.app_key = c.app_key
		WHERE m.message_key = ?1`, key)
	return at, id, found, err
}

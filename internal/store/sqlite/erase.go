package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// eraseLooks bounds the messages and conversations that one EraseMessages looks at,
// eraseRows about the changes that it makes. Senders have no index, which would cost
// every message, so it looks at all messages of the app, and at no other app's.
const (
	eraseLooks = 5000
	eraseRows  = 100
)

// erasure is one line of the table: whose messages, and where it has come to, in the
// order of the conversations' ids.
type erasure struct {
	key    int64
	app    int64
	client string
	// incarnation is the client's when it was deleted: what it said and reacted with
	// then, and before. It may have been created anew since.
	incarnation int64
	conv        []byte // id; empty: none yet
	seq         int64  // in conv
	done        bool   // nothing is left to look at
}

// markForErasure notes a deleted client.
func (g *group) markForErasure(app, client string, incarnation int64) error {
	return g.exec(`INSERT INTO erasures (app_key, client_id, incarnation) VALUES (`+appKey+`, ?2, ?3)`, app, client, incarnation)
}

// EraseMessages empties messages of deleted clients and takes back what they reacted
// with; see store.Upkeep. It looks beside the writer and changes in a commit.
func (s *Store) EraseMessages(ctx context.Context, now skein.Millis) (more bool, err error) {
	var e erasure
	var found bool
	var keys []int64
	var changes int
	err = s.walk(ctx, "", func(c *connection) error {
		if e, found, err = c.firstErasure(); err != nil || !found {
			return err
		}
		keys, changes, err = c.toErase(&e)
		return err
	})
	if err != nil || !found {
		return false, err
	}
	return write(ctx, s.writer, job{bytes: smallJob + 8*len(keys), rows: 4 * changes}, func(g *group) (bool, error) {
		return g.erase(e, keys, now)
	})
}

func (c *connection) firstErasure() (e erasure, found bool, err error) {
	found, err = c.row(func(r *sqlite3.Stmt) {
		e = erasure{
			key: r.ColumnInt64(0), app: r.ColumnInt64(1), client: r.ColumnText(2), incarnation: r.ColumnInt64(3),
			conv: r.ColumnBlob(4, []byte{}), seq: r.ColumnInt64(5),
		}
	}, `SELECT erasure_key, app_key, client_id, incarnation, conv_id, seq FROM erasures ORDER BY erasure_key LIMIT 1`)
	return e, found, err
}

// toErase finds the next messages to change and moves e behind the last one that was
// looked at. A message that the client reacted to takes a change for each emoji.
func (c *connection) toErase(e *erasure) (keys []int64, changes int, err error) {
	for looks := 0; looks < eraseLooks && changes < eraseRows && !e.done; looks++ {
		n := 0
		err := c.eachToErase(*e, func(key, seq int64, due int) {
			if changes >= eraseRows {
				return // the next step begins here
			}
			n++
			e.seq = seq
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
		e.seq = 0
		found, err := c.row(func(r *sqlite3.Stmt) { e.conv = r.ColumnBlob(0, []byte{}) }, eraseNext, e.app, e.conv)
		if err != nil {
			return nil, 0, err
		}
		e.done = !found
	}
	return keys, changes, nil
}

// eachToErase goes through the next eraseRows messages of the conversation where e is,
// with the changes that each needs.
func (c *connection) eachToErase(e erasure, see func(key, seq int64, due int)) error {
	var conv int64
	found, err := c.row(func(r *sqlite3.Stmt) { conv = r.ColumnInt64(0) },
		`SELECT conv_key FROM conversations WHERE app_key = ?1 AND id = ?2`, e.app, e.conv)
	if err != nil || !found {
		return err
	}
	return c.rows(func(r *sqlite3.Stmt) { see(r.ColumnInt64(0), r.ColumnInt64(1), r.ColumnInt(2)) },
		eraseIn, conv, e.seq, e.incarnation, e.client, eraseRows)
}

// The summary of a message's reactions leads to those of one client by their whole key:
// thousands may have reacted.
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

// erase changes the messages and writes down how far e has come. Who has one of
// them learns of it from the log of changes.
func (g *group) erase(e erasure, keys []int64, now skein.Millis) (more bool, err error) {
	for _, key := range keys {
		if err := g.eraseMessage(e, key, now); err != nil {
			return false, err
		}
	}
	if !e.done {
		return true, g.exec(`UPDATE erasures SET conv_id = ?2, seq = ?3 WHERE erasure_key = ?1`, e.key, e.conv, e.seq)
	}
	err = g.exec(`DELETE FROM erasures WHERE erasure_key = ?1`, e.key)
	if err == nil {
		err = g.erasedEvent(e)
	}
	if err == nil {
		_, more, err = g.firstErasure()
	}
	return more, err
}

// eraseMessage empties a message of the client, unless it is gone or empty by now, and
// takes back what the client reacted with under another's.
func (g *group) eraseMessage(e erasure, key int64, now skein.Millis) error {
	at, id, found, err := g.whereabouts(key)
	if err != nil || !found {
		return err
	}
	m, err := g.subject(at, id, "")
	if err != nil {
		return err
	}
	if m.Sender != e.client {
		return g.takeBack(&at, m, e, now)
	}
	if m.of > e.incarnation {
		return nil
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

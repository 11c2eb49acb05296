package messages

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// eraseLooks bounds the messages and conversations that one EraseMessages reads, eraseRows
// about the changes that it makes. There is no index by sender, which would make every
// message dearer, so it reads all messages of the app.
const (
	eraseLooks = 5000
	eraseRows  = 100
)

// erasure is a row of table erasures: a deleted client whose messages are to be erased, and
// the position reached. It goes through the app's conversations by their ids.
type erasure struct {
	key, app    int64
	client      string
	incarnation int64 // the client's when it was deleted; it may have been created anew since
	conv        skein.ID
	seq         int64        // in conv
	done        bool         // no message is left
	at          skein.Millis // of the changes
}

// place is a message.
type place struct{ conv, seq int64 }

// erasurePause is how long EraseMessages waits for transactions that may have seen the client
// before it was deleted and may be storing a message of its right now.
const erasurePause = 5 * time.Millisecond

// EraseMessages blanks the messages of deleted clients and removes their reactions; see
// store.Upkeep. It searches outside the transaction that changes.
func (s *Store) EraseMessages(ctx context.Context, now skein.Millis) (done store.Erased, more bool, err error) {
	e := erasure{at: now}
	var found, ready bool
	var due []place
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		if found, ready, err = (connection{c}).firstErasure(ctx, &e); err != nil || !found || !ready {
			return err
		}
		due, err = connection{c}.toErase(ctx, &e)
		return err
	})
	if err != nil || !found {
		return done, false, err
	}
	if !ready {
		time.Sleep(erasurePause)
		return done, true, nil
	}
	more, err = tx.Result(ctx, s.db, "", func(ctx context.Context, w *tx.Tx) (more bool, err error) {
		done, more, err = transaction{w}.erase(ctx, e, due)
		return more, err
	})
	return done, more, err
}

// firstErasure reads the oldest. ready: every transaction is over that may have seen the
// client before it was deleted.
func (c connection) firstErasure(ctx context.Context, e *erasure) (found, ready bool, err error) {
	err = c.QueryRow(ctx, `SELECT erasure_key, app_key, client_id, incarnation, conv_id, seq, xid < `+tx.Horizon+` FROM erasures ORDER BY erasure_key LIMIT 1`).
		Scan(&e.key, &e.app, &e.client, &e.incarnation, &e.conv, &e.seq, &ready)
	found, err = tx.Found(err)
	return found, ready, err
}

// toErase finds the next messages to change and moves e past the last one that it read. A
// message that the client reacted to needs one change for each emoji.
func (c connection) toErase(ctx context.Context, e *erasure) (due []place, err error) {
	for looks, changes := 0, 0; looks < eraseLooks && changes < eraseRows && !e.done; looks++ {
		found, err := c.eachToErase(ctx, *e)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if changes >= eraseRows {
				break // the next step begins here
			}
			looks++
			e.seq = f.seq
			if f.changes > 0 {
				due = append(due, f.place)
				changes += f.changes
			}
		}
		if len(found) == eraseRows || changes >= eraseRows {
			continue
		}
		e.seq = 0
		there, err := tx.Found(c.QueryRow(ctx, `SELECT id FROM conversations WHERE app_key = $1 AND id > $2 ORDER BY id LIMIT 1`, e.app, e.conv).Scan(&e.conv))
		if err != nil {
			return nil, err
		}
		e.done = !there
	}
	return due, nil
}

// looked is a message with the number of changes that it needs.
type looked struct {
	place

	changes int
}

// eachToErase looks at the next eraseRows messages of the conversation that e has reached.
// The emojis of the summary give the whole key of one client's reactions, so the thousands of
// other reactions are not read.
func (c connection) eachToErase(ctx context.Context, e erasure) ([]looked, error) {
	found, err := c.Query(ctx, `SELECT conv_key, seq, CASE
			WHEN sender = $4 THEN (status = 1 AND incarnation <= $3)::int
			WHEN reactions IS NULL THEN 0
			ELSE (SELECT count(*) FROM jsonb_array_elements(reactions::jsonb) j JOIN reactions r
				ON r.conv_key = m.conv_key AND r.seq = m.seq AND r.emoji = j ->> 'Emoji' AND r.client_id = $4 AND r.incarnation <= $3)
			END
		FROM messages m WHERE conv_key = (SELECT conv_key FROM conversations WHERE app_key = $1 AND id = $6) AND seq > $2 ORDER BY seq LIMIT $5`,
		e.app, e.seq, e.incarnation, e.client, eraseRows, e.conv)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(row pgx.CollectableRow) (l looked, err error) {
		return l, row.Scan(&l.conv, &l.seq, &l.changes)
	})
}

// erase changes the messages and records how far e has come. Clients that have a copy learn
// of it from the log of changes.
func (t transaction) erase(ctx context.Context, e erasure, due []place) (done store.Erased, more bool, err error) {
	done.Client = e.client
	if _, err := tx.Found(t.QueryRow(ctx, `SELECT id FROM apps WHERE app_key = $1`, e.app).Scan(&done.App)); err != nil {
		return done, false, err
	}
	convs := make([]int64, 0, len(due))
	for _, p := range due {
		convs = append(convs, p.conv)
	}
	if err := t.LockConversations(ctx, convs...); err != nil {
		return done, false, err
	}
	for _, p := range due {
		if err := t.eraseMessage(ctx, e, p, &done); err != nil {
			return done, false, err
		}
	}
	if !e.done {
		_, err := t.Exec(ctx, `UPDATE erasures SET conv_id = $2, seq = $3 WHERE erasure_key = $1`, e.key, e.conv, e.seq)
		return done, true, err
	}
	gone, err := t.changes(ctx, `DELETE FROM erasures WHERE erasure_key = $1`, e.key)
	if err == nil && gone {
		err = t.erasedEvent(ctx, e)
	}
	if err == nil {
		more, err = t.conn().exists(ctx, `SELECT 1 FROM erasures LIMIT 1`)
	}
	return done, more, err
}

// eraseMessage blanks a message that the client sent, or removes the client's reactions to
// the message of another, and counts that. It does nothing if that was done meanwhile.
func (t transaction) eraseMessage(ctx context.Context, e erasure, p place, done *store.Erased) error {
	at, id, found, err := t.whereabouts(ctx, p)
	if err != nil || !found {
		return err
	}
	m, err := t.subject(ctx, at, id, "")
	if err != nil {
		return err
	}
	if m.Sender != e.client {
		n, err := t.takeBack(ctx, &at, m, e)
		done.Reactions += n
		return err
	}
	if m.of > e.incarnation {
		return nil
	}
	c := skein.Change{Seq: at.Changes + 1, Kind: skein.ChangeRecall, At: e.at}
	erased, err := t.blank(ctx, at, &m, c, skein.StatusDeleted)
	if err != nil || !erased {
		return err
	}
	done.Messages++
	return t.record(ctx, at, &m, c)
}

// whereabouts are the conversation and the id of a message. Either may be deleted.
func (t transaction) whereabouts(ctx context.Context, p place) (at tx.ConvRow, id skein.ID, found bool, err error) {
	var app string
	at, err = tx.ReadConversation(t.QueryRow(ctx, `SELECT `+tx.ConversationColumns+`, a.id, m.id FROM messages m
		JOIN conversations c ON c.conv_key = m.conv_key JOIN apps a ON a.app_key = c.app_key
		WHERE m.conv_key = $1 AND m.seq = $2`, p.conv, p.seq), "", &app, &id)
	at.App = app
	found, err = tx.Found(err)
	return at, id, found, err
}

// erasedEvent adds the event that an erasure is complete.
func (t transaction) erasedEvent(ctx context.Context, e erasure) error {
	entry := store.Entry{Kind: store.EntryClientErased, Client: e.client}
	found, err := tx.Found(t.QueryRow(ctx, `SELECT id FROM apps WHERE app_key = $1 AND NOT deleted`, e.app).Scan(&entry.App))
	if err != nil || !found {
		return err
	}
	return t.Event(ctx, entry)
}

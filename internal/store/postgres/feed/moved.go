package feed

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// movedRows is how many rows of batches, or of fed, one call of Moved reads.
const movedRows = 4096

// Moved sums up a part of the feed; see store.Feed.
func (s *Store) Moved(ctx context.Context, after store.FeedCursor) (moved []store.Moved, next store.FeedCursor, err error) {
	// A reader that asks often finds nothing most of the time: that costs one statement.
	idle := false
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		l, err := readLimits(ctx, c)
		idle = l.end.text() == after
		return err
	})
	if err != nil || idle {
		return nil, after, err
	}
	err = s.db.Read(ctx, "", func(ctx context.Context, c tx.Conn) error {
		l, err := readLimits(ctx, c)
		if err != nil {
			return err
		}
		at, err := l.from(after)
		if err != nil {
			return err
		}
		if at.old {
			moved, at, err = movedOld(ctx, c, at)
		} else {
			var upto position
			moved, upto, err = movedSince(ctx, c, at, l.end)
			if err == nil {
				moved, upto.event, upto.key, err = edited(ctx, c, moved, at, l.end)
			}
			at = upto
		}
		next = at.text()
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return moved, next, nil
}

// movedOld sums up messages whose rows of batches were removed.
func movedOld(ctx context.Context, c tx.Conn, at position) (moved []store.Moved, next position, err error) {
	rows, err := c.Query(ctx, `SELECT a.id, c.id, c.last_seq, 0::bigint, f.conv_key FROM fed f
		JOIN conversations c ON c.conv_key = f.conv_key AND c.deleted = 0 JOIN apps a ON a.app_key = c.app_key AND NOT a.deleted
		WHERE f.conv_key > $1 ORDER BY f.conv_key LIMIT $2`, at.conv, movedRows)
	if err != nil {
		return nil, at, err
	}
	moved, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (store.Moved, error) { return readMoved(r, &at.conv) })
	if len(moved) < movedRows {
		at.old, at.conv, at.oldSeq = false, 0, 0
	}
	return moved, at, err
}

func readMoved(r pgx.Row, more ...any) (m store.Moved, err error) {
	return m, r.Scan(append([]any{&m.App, &m.Conv, &m.LastSeq, &m.Changes}, more...)...)
}

// movedSince sums up the next rows of batches, except what is about deleted conversations.
func movedSince(ctx context.Context, c tx.Conn, at, end position) (moved []store.Moved, next position, err error) {
	first := at.batch
	if at.done == 0 {
		first++
	}
	const some = `FROM (SELECT xid, conv_keys, to_seq, to_change FROM batches WHERE xid >= $1 AND xid <= $2 ORDER BY xid LIMIT $3) b`
	var read, last int64
	q := new(pgx.Batch)
	q.Queue(`SELECT count(*), coalesce(max(xid), 0) `+some, first, end.batch, movedRows).
		QueryRow(func(r pgx.Row) error { return r.Scan(&read, &last) })
	q.Queue(`SELECT a.id, c.id, CASE WHEN m.said THEN c.last_seq ELSE 0 END, CASE WHEN m.changed THEN c.last_change ELSE 0 END
		FROM (SELECT u.conv, bool_or(u.to_seq > 0) AS said, bool_or(u.to_change > 0) AS changed
			`+some+`, unnest(b.conv_keys, b.to_seq, b.to_change) u(conv, to_seq, to_change) WHERE u.to_seq > 0 OR u.to_change > 0 GROUP BY u.conv) m
		JOIN conversations c ON c.conv_key = m.conv AND c.deleted = 0 JOIN apps a ON a.app_key = c.app_key AND NOT a.deleted`,
		first, end.batch, movedRows).
		Query(func(r pgx.Rows) (err error) {
			moved, err = pgx.CollectRows(r, func(r pgx.CollectableRow) (store.Moved, error) { return readMoved(r) })
			return err
		})
	if err := c.SendBatch(ctx, q).Close(); err != nil {
		return nil, at, err
	}
	if read < movedRows {
		return moved, end, nil
	}
	at.batch, at.done = last, 0
	return moved, at, nil
}

// edited adds the next events about conversations and their members, and returns up to which
// event they go.
func edited(ctx context.Context, c tx.Conn, moved []store.Moved, at, end position) (_ []store.Moved, last, key int64, err error) {
	after := at.key
	if after == 0 {
		after = 1<<63 - 1
	}
	found, err := c.Query(ctx, `SELECT xid, event_key, kind, at, app_id, conv_id, change_seq, client_id, clients FROM events
		WHERE (xid, event_key) > ($1, $2) AND xid <= $3 AND kind BETWEEN $4 AND $5 ORDER BY xid, event_key LIMIT $6`,
		at.event, after, end.event, store.EntryConversationCreated, store.EntryMemberUpdated, movedRows)
	if err != nil {
		return nil, 0, 0, err
	}
	events, err := pgx.CollectRows(found, readEvent)
	if err != nil {
		return nil, 0, 0, err
	}
	place := make(map[skein.ID]int, len(moved))
	for i := range moved {
		place[moved[i].Conv] = i
	}
	for i := range events {
		e := &events[i]
		at, known := place[e.Conv]
		if !known {
			at = len(moved)
			place[e.Conv] = at
			moved = append(moved, store.Moved{App: e.App, Conv: e.Conv})
		}
		moved[at].Edits = append(moved[at].Edits, e.Entry)
	}
	if len(events) < movedRows {
		return moved, end.event, 0, nil
	}
	return moved, events[len(events)-1].xid, events[len(events)-1].key, nil
}

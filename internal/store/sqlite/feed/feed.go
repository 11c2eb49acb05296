package feed

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// The feed merges two logs: messages, whose keys the only writer assigns in commit order, and
// events, each with the newest message key at its time. A reader reads a snapshot, so it sees
// each log up to some point without gaps.

// feedCursor is a position in the feed: the reader has all messages and all events up to
// these keys.
type feedCursor struct{ epoch, message, event int64 }

func (c feedCursor) text() store.FeedCursor {
	return store.FeedCursor(strconv.FormatInt(c.epoch, 10) + "." + strconv.FormatInt(c.message, 10) + "." + strconv.FormatInt(c.event, 10))
}

// readFeedCursor reads what text wrote. Errors: ErrFeedCursor.
func readFeedCursor(text store.FeedCursor) (c feedCursor, err error) {
	parts := strings.Split(string(text), ".")
	if len(parts) != 3 {
		return c, store.ErrFeedCursor
	}
	for i, at := range []*int64{&c.epoch, &c.message, &c.event} {
		if *at, err = strconv.ParseInt(parts[i], 10, 64); err != nil {
			return c, store.ErrFeedCursor
		}
	}
	return c, nil
}

// feedRange is the first and the last position of the feed now.
type feedRange struct {
	start, end feedCursor
}

func (c connection) feedRange() (f feedRange, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) {
		f.start = feedCursor{epoch: r.ColumnInt64(0), event: r.ColumnInt64(1) - 1}
		f.end = feedCursor{epoch: r.ColumnInt64(0), message: r.ColumnInt64(2), event: r.ColumnInt64(3)}
	}, `SELECT epoch, coalesce((SELECT min(event_key) FROM events), 1),
		max(message_key, coalesce((SELECT max(message_key) FROM messages), 0)),
		coalesce((SELECT max(event_key) FROM events), 0) FROM history`)
	return f, err
}

// feedFrom is the position where a reader with a cursor continues, and the end of the feed. Errors: ErrFeedCursor.
func (c connection) feedFrom(after store.FeedCursor) (at, end feedCursor, err error) {
	f, err := c.feedRange()
	if err != nil || after == store.FeedStart {
		return f.start, f.end, err
	}
	at, err = readFeedCursor(after)
	if err == nil && !f.holds(at) {
		err = store.ErrFeedCursor
	}
	return at, f.end, err
}

// holds reports whether a cursor belongs to this history and everything after it is still
// kept.
func (f feedRange) holds(c feedCursor) bool {
	return c.epoch == f.end.epoch && c.message >= 0 && c.message <= f.end.message && c.event >= f.start.event && c.event <= f.end.event
}

// Feed reads what was committed; see store.Feed.
func (s *Store) Feed(ctx context.Context, after store.FeedCursor, limit int) (entries []store.Entry, next store.FeedCursor, err error) {
	err = tx.Snapshot(ctx, s.db, "", func(c connection) error {
		at, _, err := c.feedFrom(after)
		if err != nil {
			return err
		}
		page := feedPage{at: at, left: min(max(limit, 1), maxFeedPage), volume: feedVolume}
		if err := page.read(c); err != nil {
			return err
		}
		entries, next = page.entries, page.at.text()
		return nil
	})
	return entries, next, err
}

// Bounds of one page of the feed: rows, and about how many bytes they take.
const (
	maxFeedPage = 4096
	feedVolume  = 1 << 20
)

// feedPage is a page while it is merged from both logs.
type feedPage struct {
	at      feedCursor
	entries []store.Entry
	left    int // rows
	volume  int // bytes
}

// feedRow is a row of one of the logs.
type feedRow struct {
	store.Entry

	key     int64
	message int64 // key of the message, or of the last message before the event
	silent  bool  // an imported message: readers do not get it
}

func (p *feedPage) read(c connection) error {
	var messages, events []feedRow
	err := c.Rows(func(r *sqlite3.Stmt) {
		messages = append(messages, feedRow{
			key: r.ColumnInt64(0), message: r.ColumnInt64(0), silent: r.ColumnInt64(1)&rows.FlagImported != 0,
			Entry: store.Entry{
				Kind: store.EntryMessage, Seq: r.ColumnInt64(2), Message: engine.ID(r, 3), Client: r.ColumnText(4),
				At: engine.Millis(r, 5), Conv: engine.ID(r, 6), App: r.ColumnText(7),
			},
		})
	}, messagesFed, p.at.message, p.left)
	if err == nil {
		err = c.Rows(func(r *sqlite3.Stmt) {
			events = append(events, feedRow{key: r.ColumnInt64(0), message: r.ColumnInt64(1), Entry: readEvent(r)})
		}, eventsFed, p.at.event, p.left)
	}
	if err != nil {
		return err
	}
	for p.left > 0 && p.volume > 0 && len(messages)+len(events) > 0 {
		if len(events) == 0 || len(messages) > 0 && messages[0].message <= events[0].message {
			p.at.message = messages[0].key
			p.take(messages[0])
			messages = messages[1:]
		} else {
			p.at.event = events[0].key
			p.take(events[0])
			events = events[1:]
		}
	}
	return nil
}

func (p *feedPage) take(r feedRow) {
	p.left--
	if r.silent {
		return
	}
	const fixed = 128
	p.volume -= fixed
	for _, client := range r.Clients {
		p.volume -= len(client) + 16
	}
	p.entries = append(p.entries, r.Entry)
}

// readEvent copies one row of eventsFed.
func readEvent(r *sqlite3.Stmt) store.Entry {
	e := store.Entry{
		Kind: engine.Small[store.EntryKind](r, 2), At: engine.Millis(r, 3), App: r.ColumnText(4), Conv: engine.ID(r, 5),
		Change: r.ColumnInt64(6), Client: r.ColumnText(7),
	}
	if e.Kind != store.EntryChange {
		e.Event = r.ColumnInt64(0)
	}
	_ = rows.DecodeEventDetail(&e, r.ColumnRawText(8)) // written by tx.Group.Event
	return e
}

const (
	messagesFed = `SELECT m.message_key, m.flags, m.seq, m.id, m.sender, m.created, c.id, a.id
		FROM messages m CROSS JOIN conversations c ON c.conv_key = m.conv_key CROSS JOIN apps a ON a.app_key = c.app_key
		WHERE m.message_key > ?1 ORDER BY m.message_key LIMIT ?2`
	eventsFed = `SELECT event_key, message_key, kind, at, app_id, conv_id, change_seq, client_id, clients
		FROM events WHERE event_key > ?1 ORDER BY event_key LIMIT ?2`
)

// FeedEnd is the end of the feed; see store.Feed.
func (s *Store) FeedEnd(ctx context.Context) (end store.FeedCursor, err error) {
	err = tx.Read(ctx, s.db, "", func(c connection) error {
		f, err := c.feedRange()
		end = f.end.text()
		return err
	})
	return end, err
}

// movedKeys is how many keys of each log one call of Moved reads. That takes a reader about
// 10 ms if few conversations are busy, 30 ms if many are.
const movedKeys = 32_768

// Moved summarises a part of the feed; see store.Feed. Each message costs one step of a scan,
// each conversation one lookup (BenchmarkFeed).
func (s *Store) Moved(ctx context.Context, after store.FeedCursor) (moved []store.Moved, next store.FeedCursor, err error) {
	err = tx.Snapshot(ctx, s.db, "", func(c connection) error {
		at, end, err := c.feedFrom(after)
		if err != nil {
			return err
		}
		to := at
		if at != end {
			if to, err = c.stretch(at, end); err == nil {
				moved, err = c.moved(at, to)
			}
			if err == nil {
				moved, err = c.edited(moved, at, to)
			}
		}
		next = to.text()
		return err
	})
	return moved, next, err
}

// stretch is where one call of Moved ends. It counts from the next message that exists: many
// keys before it may belong to removed messages.
func (c connection) stretch(at, end feedCursor) (to feedCursor, err error) {
	before := at.message
	_, err = c.Row(func(r *sqlite3.Stmt) { before = r.ColumnInt64(0) - 1 },
		`SELECT message_key FROM messages WHERE message_key > ?1 ORDER BY message_key LIMIT 1`, at.message)
	return feedCursor{epoch: at.epoch, message: min(before+movedKeys, end.message), event: min(at.event+movedKeys, end.event)}, err
}

// moved lists the conversations in which messages were stored or changed between two cursors,
// except deleted ones.
func (c connection) moved(from, to feedCursor) (moved []store.Moved, err error) {
	type logs struct{ said, changed int64 } // 1: that log has an entry; else 0
	convs := make(map[int64]logs)
	said := func(r *sqlite3.Stmt) { convs[r.ColumnInt64(0)] = logs{said: 1} }
	changed := func(r *sqlite3.Stmt) { convs[r.ColumnInt64(0)] = logs{convs[r.ColumnInt64(0)].said, 1} }
	err = c.Rows(said, messagesMoved, from.message, to.message, rows.FlagImported)
	if err == nil {
		err = c.Rows(changed, changesMoved, from.event, to.event, int64(store.EntryChange))
	}
	for _, conv := range slices.Sorted(maps.Keys(convs)) { // neighbours share pages
		if err != nil {
			return nil, err
		}
		logs := convs[conv]
		_, err = c.Row(func(r *sqlite3.Stmt) {
			moved = append(moved, store.Moved{App: r.ColumnText(0), Conv: engine.ID(r, 1), LastSeq: r.ColumnInt64(2) * logs.said, Changes: r.ColumnInt64(3) * logs.changed})
		}, `SELECT a.id, c.id, c.last_seq, c.last_change FROM conversations c JOIN apps a ON a.app_key = c.app_key
			WHERE c.conv_key = ?1 AND c.deleted = 0 AND a.deleted = 0`, conv)
	}
	return moved, err
}

// edited adds what else was committed in conversations between two cursors.
func (c connection) edited(moved []store.Moved, from, to feedCursor) ([]store.Moved, error) {
	index := make(map[skein.ID]int, len(moved)) // an ID is of one app alone
	for i := range moved {
		index[moved[i].Conv] = i
	}
	err := c.Rows(func(r *sqlite3.Stmt) {
		e := readEvent(r)
		i, known := index[e.Conv]
		if !known {
			i = len(moved)
			index[e.Conv] = i
			moved = append(moved, store.Moved{App: e.App, Conv: e.Conv})
		}
		moved[i].Edits = append(moved[i].Edits, e)
	}, editsMade, from.event, to.event, int64(store.EntryConversationCreated), int64(store.EntryMemberUpdated))
	return moved, err
}

const (
	editsMade = `SELECT event_key, message_key, kind, at, app_id, conv_id, change_seq, client_id, clients
		FROM events WHERE event_key > ?1 AND event_key <= ?2 AND kind BETWEEN ?3 AND ?4 ORDER BY event_key`
	messagesMoved = `SELECT conv_key FROM messages WHERE message_key > ?1 AND message_key <= ?2 AND flags & ?3 = 0`
	changesMoved  = `SELECT c.conv_key FROM events e CROSS JOIN apps a ON a.id = e.app_id CROSS JOIN conversations c ON c.app_key = a.app_key AND c.id = e.conv_id
		WHERE e.event_key > ?1 AND e.event_key <= ?2 AND e.kind = ?3`
)

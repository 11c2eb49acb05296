package feed

import (
	"context"
	"strconv"
	"strings"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// The feed merges two logs by the stamps of their transactions: batches, which says what
// messages and changes a transaction stored, and events. A reader takes what lies below the
// oldest transaction that is still open: everything there has been committed or never will be.
// The locks of conversations make the order of stamps that of seq (package tx).
//
// Old rows of batches are removed, the messages stay. Table fed says how far the removed rows
// went in each conversation. A reader that begins at FeedStart reads those messages first,
// conversation by conversation, and then the logs.

// position is a place in the feed: all transactions up to batch and event were read, or, if
// done or key is set, of that last transaction only so many messages and changes, or the
// events up to that key.
type position struct {
	epoch        int64
	batch, done  int64
	event, key   int64
	old          bool // the messages of table fed are being read, and are read up to the next two
	conv, oldSeq int64
}

func (p position) text() store.FeedCursor {
	numbers := []int64{p.epoch, p.batch, p.done, p.event, p.key}
	if p.old {
		numbers = append(numbers, p.conv, p.oldSeq)
	}
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.FormatInt(n, 10)
	}
	return store.FeedCursor(strings.Join(words, "."))
}

// readPosition reads what text wrote. Errors: ErrFeedCursor.
func readPosition(text store.FeedCursor) (p position, err error) {
	words := strings.Split(string(text), ".")
	fields := []*int64{&p.epoch, &p.batch, &p.done, &p.event, &p.key, &p.conv, &p.oldSeq}
	p.old = len(words) == len(fields)
	if !p.old && len(words) != len(fields)-2 {
		return p, store.ErrFeedCursor
	}
	for i, word := range words {
		if *fields[i], err = strconv.ParseInt(word, 10, 64); err != nil {
			return p, store.ErrFeedCursor
		}
	}
	return p, nil
}

// limits are the first and the last position of the feed now.
type limits struct {
	start, end position
}

// limitsNow is the query that readLimits reads.
const limitsNow = `SELECT batches_forgotten, events_forgotten,
	greatest(batches_forgotten, (SELECT max(xid) FROM batches WHERE xid < ` + tx.Horizon + `)),
	greatest(events_forgotten, (SELECT max(xid) FROM events WHERE xid < ` + tx.Horizon + `)),
	EXISTS (SELECT 1 FROM fed), ` + tx.EpochColumns + ` FROM history`

func (l *limits) fields() []any {
	return []any{&l.start.batch, &l.start.event, &l.end.batch, &l.end.event, &l.start.old}
}

// holds reports whether a position belongs to this history and everything after it is still
// kept.
func (l *limits) holds(p position) bool {
	inside := func(xid, part, start, end int64) bool {
		return part >= 0 && xid <= end && (xid > start || xid == start && part == 0)
	}
	return p.epoch == l.start.epoch && inside(p.batch, p.done, l.start.batch, l.end.batch) && inside(p.event, p.key, l.start.event, l.end.event)
}

// from is the position of a cursor. Errors: ErrFeedCursor.
func (l *limits) from(after store.FeedCursor) (position, error) {
	if after == store.FeedStart {
		return l.start, nil
	}
	p, err := readPosition(after)
	if err == nil && !l.holds(p) {
		err = store.ErrFeedCursor
	}
	return p, err
}

func readLimits(ctx context.Context, c tx.Conn) (l limits, err error) {
	l.start.epoch, err = tx.ReadEpoch(c.QueryRow(ctx, limitsNow), l.fields()...)
	l.end.epoch = l.start.epoch
	return l, err
}

// FeedEnd is the end of the feed; see store.Feed. What was committed while an older
// transaction is still open lies behind it.
func (s *Store) FeedEnd(ctx context.Context) (end store.FeedCursor, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		l, err := readLimits(ctx, c)
		end = l.end.text()
		return err
	})
	if err != nil {
		return "", err
	}
	return end, nil
}

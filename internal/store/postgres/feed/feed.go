package feed

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// Bounds of one page of the feed.
const (
	maxPage    = 4096    // rows
	pageVolume = 1 << 20 // about how many bytes they take
	maxBatches = 256     // rows of batches, of which each names up to 512 conversations
)

// Feed reads what was committed; see store.Feed.
func (s *Store) Feed(ctx context.Context, after store.FeedCursor, limit int) (entries []store.Entry, next store.FeedCursor, err error) {
	err = s.db.Read(ctx, "", func(ctx context.Context, c tx.Conn) error {
		l, err := readLimits(ctx, c)
		if err != nil {
			return err
		}
		p := page{Conn: c, left: min(max(limit, 1), maxPage), volume: pageVolume}
		if p.at, err = l.from(after); err != nil {
			return err
		}
		if p.at.old {
			err = p.readOld(ctx)
		}
		logs := p.at.batch != l.end.batch || p.at.done != 0 || p.at.event != l.end.event || p.at.key != 0
		if err == nil && !p.at.old && p.left > 0 && logs {
			err = p.readLogs(ctx)
		}
		entries, next = p.entries, p.at.text()
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return entries, next, nil
}

// page is a page of the feed while it is read.
type page struct {
	tx.Conn

	at      position
	entries []store.Entry
	left    int // rows
	volume  int // bytes
}

func (p *page) full() bool { return p.left <= 0 || p.volume <= 0 }

// take adds an entry; nil: of a message or change that is not told, or is not there any more.
func (p *page) take(e *store.Entry) {
	p.left--
	if e == nil {
		return
	}
	const fixed = 128
	p.volume -= fixed
	for _, client := range e.Clients {
		p.volume -= len(client) + 16
	}
	p.entries = append(p.entries, *e)
}

// messageFed are the columns that readMessage reads.
const messageFed = `m.seq, m.id, m.sender, m.created, c.id, a.id, m.flags`

// readMessage reads a message's entry. An imported one is not told.
func readMessage(r pgx.Row, before ...any) (e store.Entry, told bool, err error) {
	var flags int
	e.Kind = store.EntryMessage
	err = r.Scan(append(before, &e.Seq, &e.Message, &e.Client, &e.At, &e.Conv, &e.App, &flags)...)
	return e, flags&rows.FlagImported == 0, err
}

// readOld reads messages whose rows of batches were removed.
func (p *page) readOld(ctx context.Context) error {
	found, err := p.Query(ctx, `SELECT f.conv_key, `+messageFed+` FROM fed f
		CROSS JOIN LATERAL (SELECT m.seq, m.id, m.sender, m.created, m.flags FROM messages m WHERE m.conv_key = f.conv_key AND m.seq <= f.seq
			AND (f.conv_key > $1 OR m.seq > $2) ORDER BY m.seq LIMIT $3) m
		JOIN conversations c ON c.conv_key = f.conv_key JOIN apps a ON a.app_key = c.app_key
		WHERE f.conv_key >= $1 ORDER BY f.conv_key, m.seq LIMIT $3`, p.at.conv, p.at.oldSeq, p.left)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() && !p.full() {
		e, told, err := readMessage(found, &p.at.conv)
		if err != nil {
			return err
		}
		if p.at.oldSeq = e.Seq; told {
			p.take(&e)
		} else {
			p.take(nil)
		}
	}
	if !p.full() {
		p.at.old, p.at.conv, p.at.oldSeq = false, 0, 0
	}
	return found.Err()
}

// batch is a row of batches: what a transaction stored, in pieces, the messages first.
type batch struct {
	xid    int64
	pieces []piece
}

// piece is a range of one of the logs of a conversation.
type piece struct {
	conv, from, to int64
	changes        bool                  // of change_seq; else of seq
	found          map[int64]store.Entry // what is still there and told
}

// event is a row of events.
type event struct {
	store.Entry

	xid, key int64
}

// readLogs reads on in both logs.
func (p *page) readLogs(ctx context.Context) error {
	var batches []batch
	var events []event
	q := new(pgx.Batch)
	firstBatch, lastKey := p.at.batch, p.at.key
	if p.at.done == 0 {
		firstBatch++
	}
	if lastKey == 0 {
		lastKey = 1<<63 - 1
	}
	mostBatches := min(p.left, maxBatches)
	q.Queue(`SELECT xid, conv_keys, from_seq, to_seq, from_change, to_change FROM batches
		WHERE xid >= $1 AND xid < `+tx.Horizon+` ORDER BY xid LIMIT $2`, firstBatch, mostBatches).
		Query(func(r pgx.Rows) (err error) {
			batches, err = pgx.CollectRows(r, readBatch)
			return err
		})
	q.Queue(`SELECT xid, event_key, kind, at, app_id, conv_id, change_seq, client_id, clients FROM events
		WHERE (xid, event_key) > ($1, $2) AND xid < `+tx.Horizon+` ORDER BY xid, event_key LIMIT $3`, p.at.event, lastKey, p.left+1).
		Query(func(r pgx.Rows) (err error) {
			events, err = pgx.CollectRows(r, readEvent)
			return err
		})
	if err := p.SendBatch(ctx, q).Close(); err != nil {
		return err
	}
	if err := p.fill(ctx, batches); err != nil {
		return err
	}
	p.merge(batches, events, len(batches) == mostBatches)
	return nil
}

func readBatch(r pgx.CollectableRow) (b batch, err error) {
	var convs, fromSeq, toSeq, fromChange, toChange []int64
	if err := r.Scan(&b.xid, &convs, &fromSeq, &toSeq, &fromChange, &toChange); err != nil {
		return b, err
	}
	for i, conv := range convs {
		if toSeq[i] > 0 {
			b.pieces = append(b.pieces, piece{conv: conv, from: fromSeq[i], to: toSeq[i]})
		}
	}
	for i, conv := range convs {
		if toChange[i] > 0 {
			b.pieces = append(b.pieces, piece{conv: conv, from: fromChange[i], to: toChange[i], changes: true})
		}
	}
	return b, nil
}

func readEvent(r pgx.CollectableRow) (e event, err error) {
	var conv *skein.ID
	var client *string
	var clients []byte
	if err := r.Scan(&e.xid, &e.key, &e.Kind, &e.At, &e.App, &conv, &e.Change, &client, &clients); err != nil {
		return e, err
	}
	if conv != nil {
		e.Conv = *conv
	}
	if client != nil {
		e.Client = *client
	}
	e.Event = e.key
	return e, rows.DecodeEventDetail(&e.Entry, clients)
}

// fill reads the messages and changes that batches name, as many as the page has room for.
func (p *page) fill(ctx context.Context, batches []batch) error {
	messages, changes := p.wanted(batches)
	q := new(pgx.Batch)
	messages.queue(q, `SELECT u.place, `+messageFed+named+`JOIN messages m ON m.conv_key = u.conv AND m.seq BETWEEN u.low AND u.high`+namedOf,
		func(r pgx.Row, place *int64) (e store.Entry, number int64, told bool, err error) {
			e, told, err = readMessage(r, place)
			return e, e.Seq, told, err
		})
	changes.queue(q, `SELECT u.place, l.change_seq, l.client_id, l.at, c.id, a.id`+named+`JOIN changes l ON l.conv_key = u.conv AND l.change_seq BETWEEN u.low AND u.high`+namedOf,
		func(r pgx.Row, place *int64) (e store.Entry, number int64, told bool, err error) {
			e.Kind = store.EntryChange
			err = r.Scan(place, &e.Change, &e.Client, &e.At, &e.Conv, &e.App)
			return e, e.Change, true, err
		})
	if q.Len() == 0 {
		return nil
	}
	return p.SendBatch(ctx, q).Close()
}

// ranges are parts of pieces, which one query reads.
type ranges struct {
	pieces          []*piece
	conv, low, high []int64
}

// named and namedOf are of queries of ranges: the ranges, and their conversations and apps.
const (
	named   = ` FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY u(conv, low, high, place) `
	namedOf = ` JOIN conversations c ON c.conv_key = u.conv JOIN apps a ON a.app_key = c.app_key`
)

// wanted are the ranges behind the cursor that the page has room for.
func (p *page) wanted(batches []batch) (messages, changes ranges) {
	room, passed := int64(p.left), int64(0)
	if len(batches) > 0 && batches[0].xid == p.at.batch {
		passed = p.at.done
	}
	for i := range batches {
		for j := range batches[i].pieces {
			c := &batches[i].pieces[j]
			low := c.from + min(passed, c.to-c.from+1)
			passed -= low - c.from
			high := min(c.to, low+room-1)
			if low > high {
				continue
			}
			room -= high - low + 1
			if c.changes {
				changes.add(c, low, high)
			} else {
				messages.add(c, low, high)
			}
		}
	}
	return messages, changes
}

func (a *ranges) add(c *piece, low, high int64) {
	c.found = make(map[int64]store.Entry, high-low+1)
	a.pieces, a.conv, a.low, a.high = append(a.pieces, c), append(a.conv, c.conv), append(a.low, low), append(a.high, high)
}

// queue asks for the ranges. read reads a row, whose first column says which range it is of.
func (a *ranges) queue(q *pgx.Batch, sql string, read func(r pgx.Row, place *int64) (e store.Entry, number int64, told bool, err error)) {
	if len(a.pieces) == 0 {
		return
	}
	q.Queue(sql, a.conv, a.low, a.high).Query(func(r pgx.Rows) error {
		for r.Next() {
			var place int64
			e, number, told, err := read(r, &place)
			if err != nil {
				return err
			}
			if told {
				a.pieces[place-1].found[number] = e
			}
		}
		return r.Err()
	})
}

// merge takes from both logs in the order of their transactions until the page is full.
// cutBatches: there are more batches than were read, and events may not run ahead of them.
// Of events one more was read than the page has room for.
func (p *page) merge(batches []batch, events []event, cutBatches bool) {
	for !p.full() {
		switch {
		case len(batches) > 0 && (len(events) == 0 || batches[0].xid <= events[0].xid):
			p.takeBatch(&batches[0])
			batches = batches[1:]
		case len(events) > 0 && (len(batches) > 0 || !cutBatches):
			p.takeEvent(events)
			events = events[1:]
		default:
			return
		}
	}
}

// takeBatch takes what a batch stored, from where the cursor is in it.
func (p *page) takeBatch(b *batch) {
	passed := int64(0)
	if b.xid == p.at.batch {
		passed = p.at.done
	}
	n := int64(0)
	for _, c := range b.pieces {
		for at := c.from; at <= c.to; at++ {
			if n++; n <= passed {
				continue
			}
			if p.full() {
				p.at.batch, p.at.done = b.xid, n-1
				return
			}
			if e, there := c.found[at]; there {
				p.take(&e)
			} else {
				p.take(nil)
			}
		}
	}
	p.at.batch, p.at.done = b.xid, 0
}

// takeEvent takes the first event.
func (p *page) takeEvent(events []event) {
	e := &events[0]
	p.take(&e.Entry)
	p.at.event, p.at.key = e.xid, 0
	if len(events) > 1 && events[1].xid == e.xid {
		p.at.key = e.key
	}
}

package tx

import (
	"context"
	"hash/fnv"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store/moves"
)

// Moment is what a transaction sees of the store's history. It sees every other transaction
// whose stamp is below Next, but for those that are Open.
type Moment struct {
	Epoch     int64   // another one: cursors are of another history
	Horizon   int64   // all transactions below this stamp are over: the cursor of a reader
	Next      int64   // no transaction has reached this stamp
	Open      []int64 // stamps
	Forgotten int64   // departures up to this stamp were purged
	Purged    int64   // and events or batches up to this one
}

const momentSQL = `SELECT h.base, h.forgotten, greatest(h.events_forgotten, h.batches_forgotten),
		pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint, ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(s) x),
		` + EpochColumns + `
	FROM history h, pg_current_snapshot() s`

// Moment is what the transaction sees; it must see the same in all its statements.
func (c Conn) Moment(ctx context.Context) (Moment, error) {
	return readMoment(c.QueryRow(ctx, momentSQL))
}

func readMoment(row pgx.Row) (m Moment, err error) {
	var base int64
	m.Epoch, err = ReadEpoch(row, &base, &m.Forgotten, &m.Purged, &m.Horizon, &m.Next, &m.Open)
	m.Horizon += base
	m.Next += base
	for i := range m.Open {
		m.Open[i] += base
	}
	return m, err
}

// epochOf is a number above zero that JSON holds exactly.
func epochOf(epoch, system int64, timeline string) int64 {
	h := fnv.New64a()
	name := strconv.AppendInt(strconv.AppendInt(nil, epoch, 10), system, 10)
	_, _ = h.Write(append(name, timeline...))
	const bits = 52
	return int64(h.Sum64()>>(64-bits)) + 1
}

// sees reports whether m is later than other: it sees all that other sees, and more.
func (m Moment) sees(other Moment) bool {
	return m.Next > other.Next || m.Next == other.Next && len(m.Open) < len(other.Open)
}

// Moves is this node's memory of which conversations moved lately, on any node. It has no
// goroutine: whoever needs it first brings it up to date, by what the tables batches and
// events got since. Safe for concurrent use.
type Moves struct {
	all *moves.Map

	mu   sync.Mutex
	seen Moment // what the memory knows; guarded by mu
}

// NewMoves knows nothing yet.
func NewMoves() *Moves { return &Moves{all: moves.New(0)} }

// maxCatchUp is how many transactions the memory catches up with. After more of them it
// begins anew, which costs less.
const maxCatchUp = 100_000

// movedSince are the conversations moved by transactions that the memory does not know: those
// with stamp $1 or a greater one, and those among $2. It answers none if more than $3 began
// meanwhile. The limits inside make every plan read the newest rows by their index.
const movedSince = `SELECT conv_key, max(xid) FROM (
		SELECT unnest(conv_keys) AS conv_key, xid FROM (
			(SELECT conv_keys, xid FROM batches WHERE xid >= $1 ORDER BY xid LIMIT $3)
			UNION ALL SELECT conv_keys, xid FROM batches WHERE xid = ANY ($2)) b
		UNION ALL
		SELECT c.conv_key, e.xid FROM (
			(SELECT app_id, conv_id, xid FROM events WHERE xid >= $1 ORDER BY xid LIMIT $3)
			UNION ALL SELECT app_id, conv_id, xid FROM events WHERE xid = ANY ($2)) e
		JOIN apps a ON a.id = e.app_id JOIN conversations c ON c.app_key = a.app_key AND c.id = e.conv_id) moved
	WHERE (SELECT base FROM history) + pg_snapshot_xmax(pg_current_snapshot())::text::bigint - $1 <= $3
	GROUP BY conv_key LIMIT $4`

// CatchUp brings the memory up to what c's transaction sees, and returns that moment. The
// transaction must see the same in all its statements.
func (m *Moves) CatchUp(ctx context.Context, c Conn) (now Moment, err error) {
	m.mu.Lock()
	seen := m.seen
	m.mu.Unlock()
	var batch pgx.Batch
	batch.Queue(momentSQL)
	batch.Queue(movedSince, seen.Next, seen.Open, maxCatchUp, moves.Most)
	answers := c.SendBatch(ctx, &batch)
	now, err = readMoment(answers.QueryRow())
	var moved []moves.Move
	if err == nil {
		rows, _ := answers.Query()
		moved, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (one moves.Move, err error) {
			return one, row.Scan(&one.Conv, &one.Stamp)
		})
	}
	if closing := answers.Close(); err == nil {
		err = closing
	}
	if err == nil {
		m.learn(seen, now, moved)
	}
	return now, err
}

// learn adds what moved between two moments. Others may have learnt more meanwhile: what they
// added may be added again, and the later moment stays.
func (m *Moves) learn(from, to Moment, moved []moves.Move) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.seen.Epoch != from.Epoch: // somebody began anew meanwhile
	case from.Epoch != to.Epoch || to.Next-from.Next > maxCatchUp || to.Purged >= from.Next || len(moved) == moves.Most:
		if to.sees(m.seen) || m.seen.Epoch != to.Epoch {
			m.all.Forget(to.Next - 1)
			m.seen = to
		}
	default:
		m.all.Add(moved, max(m.seen.Next, to.Next))
		if to.sees(m.seen) {
			m.seen = to
		}
	}
}

// Since lists the conversations of any app that moved at a stamp or later, as the last CatchUp
// or a later one saw it. complete is false if there are more than limit, or if the memory does
// not reach back that far.
func (m *Moves) Since(stamp int64, limit int) (convs []int64, complete bool) {
	return m.all.Since(stamp-1, 0, limit)
}

// Among is Since for some conversations, in their order.
func (m *Moves) Among(convs []int64, stamp int64) (moved []int64, complete bool) {
	return m.all.Moved(stamp-1, convs, len(convs)+1)
}

// Covers reports whether the memory knows all conversations that moved at a stamp or later.
func (m *Moves) Covers(stamp int64) bool { return m.all.Covers(stamp - 1) }

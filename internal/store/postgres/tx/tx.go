package tx

import (
	"context"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/engine"
	"github.com/skein-im/skein/internal/store/rows"
)

// Tx is an open transaction that writes.
type Tx struct {
	Conn

	told  []skein.Committed
	moved map[int64]span // by conv_key
}

// span is which numbers of a conversation's logs a transaction gave out; zeroes: none.
type span struct{ fromSeq, toSeq, fromChange, toChange int64 }

// Stamp and Horizon are SQL for what the functions stamp and horizon of the schema answer. In a
// subquery they are worked out once, however many rows the statement has; and a function of that
// kind is parsed and planned anew in each statement that calls it. No transaction has a stamp
// while the row of refill is missing: see Refill.
const (
	Stamp   = `coalesce((SELECT base + pg_current_xact_id()::text::bigint FROM history, refill), no_stamp())`
	Horizon = `(SELECT base + pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM history)`
)

// LockConversations waits until the transaction is the only one that moves these
// conversations. It comes before the transaction's first write. What was read before it may
// be old: read again.
func (t *Tx) LockConversations(ctx context.Context, keys ...int64) error {
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	_, err := t.Exec(ctx, LockConversations, slices.Compact(keys))
	return err
}

// LockConversations takes the locks of the conversations $1 in the order of the list, which
// must ascend.
const LockConversations = `SELECT count(pg_advisory_xact_lock(k)) FROM unnest($1::bigint[]) k`

// LockClients locks rows of clients, so that none of them is banned, deleted or created anew
// until the transaction ends; share: others may lock them so too. It returns the living ones
// by their ids.
func (t *Tx) LockClients(ctx context.Context, app int64, ids []string, share bool) (map[string]skein.Client, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	lock := ` FOR UPDATE`
	if share {
		lock = ` FOR SHARE`
	}
	living := make(map[string]skein.Client, len(ids))
	found, err := t.Query(ctx, `SELECT `+ClientColumns+` FROM clients WHERE app_key = $1 AND id = ANY($2) ORDER BY id`+lock, app, ids)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		c, err := ReadClient(found, "")
		if err != nil {
			return nil, err
		}
		if !c.Deleted {
			living[c.ID] = c
		}
	}
	return living, found.Err()
}

// Told records what the commit hook is to be told of a message that the transaction stored or
// changed, and which numbers of the conversation's logs it took.
func (t *Tx) Told(conv int64, c skein.Committed) {
	t.told = append(t.told, c)
	if c.Change != nil {
		t.Moved(conv, 0, c.Change.Seq)
	} else {
		t.Moved(conv, c.Seq, 0)
	}
}

// Moved records that the transaction took a seq or a change_seq of a conversation; zero: not.
func (t *Tx) Moved(conv, seq, change int64) {
	if t.moved == nil {
		t.moved = make(map[int64]span)
	}
	s := t.moved[conv]
	widen(&s.fromSeq, &s.toSeq, seq)
	widen(&s.fromChange, &s.toChange, change)
	t.moved[conv] = s
}

func widen(from, to *int64, n int64) {
	switch {
	case n == 0:
	case *from == 0:
		*from, *to = n, n
	default:
		*from, *to = min(*from, n), max(*to, n)
	}
}

// writeBatch writes the transaction's row of batches, if it moved a log.
func (t *Tx) writeBatch(ctx context.Context) error {
	if len(t.moved) == 0 {
		return nil
	}
	sql, args := t.Batch()
	_, err := t.Exec(ctx, sql, args...)
	return err
}

// Batch is the statement that writes the transaction's row of batches.
func (t *Tx) Batch() (sql string, args []any) {
	n := len(t.moved)
	keys := make([]int64, 0, n)
	for key := range t.moved {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	columns := [4][]int64{make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)}
	for i, key := range keys {
		s := t.moved[key]
		columns[0][i], columns[1][i], columns[2][i], columns[3][i] = s.fromSeq, s.toSeq, s.fromChange, s.toChange
	}
	return `INSERT INTO batches (xid, at, conv_keys, from_seq, to_seq, from_change, to_change) VALUES (` + Stamp + `, $1, $2, $3, $4, $5, $6)`,
		[]any{t.Now, keys, columns[0], columns[1], columns[2], columns[3]}
}

// Event adds entries to the feed, in the transaction that did what they tell. Messages and
// changes need none: their numbers in table batches are in the feed. An entry with more than
// store.MaxEntryClients clients becomes several.
func (t *Tx) Event(ctx context.Context, entries ...store.Entry) error {
	var kinds, changes []int64
	var apps []string
	var convs []*skein.ID
	var one []*string
	var many [][]byte
	for _, e := range entries {
		kind, first, rest := e.Kind, e.Clients, []string(nil)
		for {
			if len(first) > store.MaxEntryClients {
				first, rest = first[:store.MaxEntryClients], first[store.MaxEntryClients:]
			}
			kinds, changes, apps = append(kinds, int64(kind)), append(changes, e.Change), append(apps, e.App)
			detail, err := rows.EventDetail(e, first)
			if err != nil {
				return err
			}
			convs, one, many = append(convs, IDOrNull(e.Conv)), append(one, TextOrNull(e.Client)), append(many, detail)
			if first, rest = rest, nil; len(first) == 0 {
				break
			}
			switch kind {
			case store.EntryConversationCreated:
				kind = store.EntryMembersAdded
			case store.EntryConversationDeleted:
				kind = store.EntryMembersRemoved
			}
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	_, err := t.Exec(ctx, `INSERT INTO events (xid, kind, at, app_id, conv_id, change_seq, client_id, clients)
		SELECT `+Stamp+`, u.kind, $1, u.app_id, u.conv_id, u.change_seq, u.client_id, u.clients
		FROM unnest($2::smallint[], $3::text[], $4::uuid[], $5::bigint[], $6::text[], $7::text[])
			WITH ORDINALITY u(kind, app_id, conv_id, change_seq, client_id, clients, n) ORDER BY u.n`,
		t.Now, kinds, apps, convs, changes, one, many)
	return err
}

// TextOrNull is NULL for an empty text.
func TextOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// IDOrNull is NULL for the zero ID.
func IDOrNull(id skein.ID) *skein.ID {
	if id.IsZero() {
		return nil
	}
	return &id
}

var _ engine.Conn = Conn{}

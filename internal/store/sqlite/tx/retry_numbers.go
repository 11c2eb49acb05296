package tx

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// A message that has a client_msg_id has a retry number: the key of its conversation in
// the upper half, a hash of its sender and its client_msg_id in the lower. Where several
// messages would have one number, the next free one is taken, and the texts tell them
// apart.
//
// Retries are promised for store.RetryTime, so the numbers are not kept with the
// messages, where they would grow with them, but in three tables that take turns: one
// takes what is sent now, one has what was sent before, and the third is emptied by
// Purge. A table is filled for RetryTime at least, so a number is known for as long.

// retryTables is how many tables take turns.
const retryTables = 3

// RetryTurn says which of the tables is filled, and since when.
type RetryTurn struct {
	Table int
	since skein.Millis
}

// Before is the table that was filled before.
func (t RetryTurn) Before() int { return (t.Table + retryTables - 1) % retryTables }
func (t RetryTurn) next() int   { return (t.Table + 1) % retryTables }

// RetryTurn is the turn as the file has it.
func (g *Group) RetryTurn() (RetryTurn, error) {
	if g.Known.retries == nil {
		var t RetryTurn
		_, err := g.Row(func(r *sqlite3.Stmt) { t = RetryTurn{r.ColumnInt(0), engine.Millis(r, 1)} }, `SELECT retry_table, retry_since FROM history`)
		if err != nil {
			return t, err
		}
		g.Known.retries = &t
	}
	return *g.Known.retries, nil
}

// retrySQL is a statement for each turn; %[1]d stands for the table that is filled,
// %[2]d for the one before.
func retrySQL(sql string) (of [retryTables]string) {
	for i := range of {
		of[i] = fmt.Sprintf(sql, i, RetryTurn{Table: i}.Before())
	}
	return of
}

// leastRetry is below every number.
const leastRetry = `-9223372036854775807`

var (
	// Nearly always nobody has the number, which one statement finds out and claims it.
	retryClaim = retrySQL(`INSERT INTO retries_%[1]d (number, message_key) SELECT ?1, ?2
		WHERE NOT EXISTS (SELECT 1 FROM retries_%[2]d WHERE number = ?1) ON CONFLICT (number) DO NOTHING`)
	retryTake   = retrySQL(`INSERT INTO retries_%[1]d (number, message_key) VALUES (?1, ?2)`)
	retryHolder = retrySQL(`SELECT message_key FROM retries_%[1]d WHERE number = ?1`)
	retryGive   = retrySQL(`DELETE FROM retries_%[1]d WHERE number = ?1`)
	retryPurge  = retrySQL(`DELETE FROM retries_%[1]d WHERE number IN (SELECT number FROM retries_%[1]d WHERE number >= ` + leastRetry + ` ORDER BY number LIMIT ?1)`)
	retryAny    = retrySQL(`SELECT 1 FROM retries_%[1]d WHERE number >= ` + leastRetry + ` LIMIT 1`)
)

// RetryNumber is the first number that a message may have. A conversation whose key has
// more than 31 bits shares its numbers with another, which costs time and nothing else.
func RetryNumber(conv int64, tag uint32) int64 { return conv<<32 | int64(tag) }

// NextRetry is the number to try behind one that is another message's.
func NextRetry(number int64) int64 { return RetryNumber(number>>32, uint32(number)+1) }

// ClaimRetry takes a number for a message, unless it is another's.
func (g *Group) ClaimRetry(t RetryTurn, number, message int64) (claimed bool, err error) {
	return g.Change(retryClaim[t.Table], number, message)
}

// TakeRetry takes a number that is known to be free.
func (g *Group) TakeRetry(t RetryTurn, number, message int64) error {
	return g.Exec(retryTake[t.Table], number, message)
}

// RetryHolder is the message that has a number in one of the tables.
func (g *Group) RetryHolder(table int, number int64) (message int64, taken bool, err error) {
	taken, err = g.Row(func(r *sqlite3.Stmt) { message = r.ColumnInt64(0) }, retryHolder[table], number)
	return message, taken, err
}

// FreeRetry gives back a number that was claimed in this transaction.
func (g *Group) FreeRetry(number int64) error {
	turn, err := g.RetryTurn()
	if err != nil {
		return err
	}
	return g.Exec(retryGive[turn.Table], number)
}

// RememberRetry lets retries of an imported message find it.
func (g *Group) RememberRetry(conv int64, tag uint32, message int64) error {
	turn, err := g.RetryTurn()
	for number := RetryNumber(conv, tag); err == nil; number = NextRetry(number) {
		var claimed bool
		if claimed, err = g.ClaimRetry(turn, number, message); claimed {
			break
		}
	}
	return err
}

// ForgetRetries begins to fill the next table when the one at hand has been filled for
// RetryTime, and takes at most so many rows out of the one that is not needed any more.
// It reports whether there was something to do, and how many rows it took. A clock that
// was put back begins the time anew.
func (g *Group) ForgetRetries(now skein.Millis, most int) (rows int, found bool, err error) {
	turn, err := g.RetryTurn()
	if err != nil {
		return 0, false, err
	}
	if found, err = g.Row(nil, retryAny[turn.next()]); err != nil {
		return 0, false, err
	}
	if found {
		n, err := g.Changes(retryPurge[turn.next()], most)
		return int(n), true, err
	}
	switch due := turn.since.Add(store.RetryTime); {
	case now < turn.since:
		turn.since = now
	case now >= due:
		turn = RetryTurn{turn.next(), now}
	default:
		return 0, false, nil
	}
	if err := g.Exec(`UPDATE history SET retry_table = ?1, retry_since = ?2`, turn.Table, turn.since); err != nil {
		return 0, false, err
	}
	g.Known.retries = &turn
	return 0, true, nil
}

// OldRetries reports whether ForgetRetries has rows to take out.
func (g *Group) OldRetries() (found bool, err error) {
	turn, err := g.RetryTurn()
	if err != nil {
		return false, err
	}
	return g.Row(nil, retryAny[turn.next()])
}

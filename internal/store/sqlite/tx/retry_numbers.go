package tx

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// A message with a client_msg_id has a retry number: its conversation's key in the upper
// half, a hash of its sender and client_msg_id in the lower half. When another message has
// the number already, the message takes the next free one; comparing the texts tells such
// messages apart.
//
// The store promises to recognise retries for store.RetryTime. The numbers are therefore
// kept in three small tables that take turns, not with the messages, where they would grow
// without end: the current table takes the numbers of new messages, the previous table
// holds those before, and Purge empties the third. A table stays current for at least
// RetryTime, so each number is known for at least RetryTime.
//
// In each table the messages that share a first number have consecutive numbers without a
// gap; a search ends at the first free number.

// retryTables is how many tables take turns.
const retryTables = 3

// RetryTurn says which table is the current one, and since when.
type RetryTurn struct {
	Table int
	since skein.Millis
}

// Before is the previous table.
func (t RetryTurn) Before() int { return (t.Table + retryTables - 1) % retryTables }

// next is the table that is no longer needed, and will be the current one.
func (t RetryTurn) next() int { return (t.Table + 1) % retryTables }

// ended reports whether the turn is over, or was begun by a clock that was set back since.
func (t RetryTurn) ended(now skein.Millis) bool {
	return now < t.since || now >= t.since.Add(store.RetryTime)
}

// RetryTurn is the current turn. It is read from the file once and then remembered.
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

// retrySQL makes one statement for each turn; %[1]d stands for the current table, %[2]d for
// the previous one.
func retrySQL(sql string) (of [retryTables]string) {
	for i := range of {
		of[i] = fmt.Sprintf(sql, i, RetryTurn{Table: i}.Before())
	}
	return of
}

// leastRetry is less than every number.
const leastRetry = `-9223372036854775807`

var (
	// Nearly always the number is free in both tables; this one statement checks and claims
	// it. A number that the previous table has gives a row without a message, which OR IGNORE
	// passes over. VALUES and not SELECT: before an INSERT from a SELECT, which could fail
	// half-way, SQLite copies each page that it will change.
	retryClaim = retrySQL(`INSERT OR IGNORE INTO retries_%[1]d (number, message_key)
		VALUES (?1, CASE WHEN NOT EXISTS (SELECT 1 FROM retries_%[2]d WHERE number = ?1) THEN ?2 END)`)
	retryTake   = retrySQL(`INSERT INTO retries_%[1]d (number, message_key) VALUES (?1, ?2) ON CONFLICT (number) DO NOTHING`)
	retryHolder = retrySQL(`SELECT message_key FROM retries_%[1]d WHERE number = ?1`)
	retryGive   = retrySQL(`DELETE FROM retries_%[1]d WHERE number = ?1`)
	retryPurge  = retrySQL(`DELETE FROM retries_%[1]d WHERE number IN (SELECT number FROM retries_%[1]d WHERE number >= ` + leastRetry + ` ORDER BY number LIMIT ?1)`)
	retryAny    = retrySQL(`SELECT 1 FROM retries_%[1]d WHERE number >= ` + leastRetry + ` LIMIT 1`)
)

// readSalt reads the salt of retry tags. It never changes.
func (c Conn) readSalt() (salt []byte, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) { salt = engine.Bytes(r, 0) }, `SELECT salt FROM history`)
	return salt, err
}

// RetryNumber is the first number that a message may have. Only the low 32 bits of a
// conversation's key fit; conversations that share them share numbers, which costs time and
// is otherwise harmless.
func RetryNumber(conv int64, tag uint32) int64 { return conv<<32 | int64(tag) }

// NextRetry is the number to try when another message has this one.
func NextRetry(number int64) int64 { return RetryNumber(number>>32, uint32(number)+1) }

// ClaimRetry takes a number for a message, unless another message has it in the current
// table or the previous one.
func (g *Group) ClaimRetry(t RetryTurn, number, message int64) (claimed bool, err error) {
	return g.Change(retryClaim[t.Table], number, message)
}

// TakeRetry takes a number for a message, unless another message has it in the current
// table.
func (g *Group) TakeRetry(t RetryTurn, number, message int64) (taken bool, err error) {
	return g.Change(retryTake[t.Table], number, message)
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

// RememberRetry lets a retry of an imported message find it.
func (g *Group) RememberRetry(conv int64, tag uint32, message int64) error {
	turn, err := g.RetryTurn()
	number := RetryNumber(conv, tag)
	for taken := false; err == nil && !taken; number = NextRetry(number) {
		taken, err = g.TakeRetry(turn, number, message)
	}
	return err
}

// ForgetRetries removes at most limit rows of the table that is no longer needed, and
// returns how many it removed. When that table is empty and the current one has been filled
// for RetryTime, it becomes the current one. If the clock was set back, the current table's
// time begins again.
func (g *Group) ForgetRetries(now skein.Millis, limit int) (rows int, err error) {
	turn, err := g.RetryTurn()
	if err != nil {
		return 0, err
	}
	n, err := g.Changes(retryPurge[turn.next()], limit)
	if err != nil || n > 0 || !turn.ended(now) {
		return int(n), err
	}
	if now >= turn.since {
		turn.Table = turn.next()
	}
	turn.since = now
	if err := g.Exec(`UPDATE history SET retry_table = ?1, retry_since = ?2`, turn.Table, turn.since); err != nil {
		return 0, err
	}
	g.Known.retries = &turn
	return 0, nil
}

// OldRetries reports whether ForgetRetries has something to do.
func (g *Group) OldRetries(now skein.Millis) (bool, error) {
	turn, err := g.RetryTurn()
	if err != nil || turn.ended(now) {
		return err == nil, err
	}
	return g.Row(nil, retryAny[turn.next()])
}

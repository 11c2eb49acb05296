package sqlite

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
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

// retryTurn says which of the tables is filled, and since when.
type retryTurn struct {
	table int
	since skein.Millis
}

func (t retryTurn) before() int { return (t.table + retryTables - 1) % retryTables }
func (t retryTurn) next() int   { return (t.table + 1) % retryTables }

// retryTurn is the turn as the file has it.
func (g *group) retryTurn() (retryTurn, error) {
	if g.known.retries == nil {
		var t retryTurn
		_, err := g.row(func(r *sqlite3.Stmt) { t = retryTurn{r.ColumnInt(0), millisColumn(r, 1)} }, `SELECT retry_table, retry_since FROM history`)
		if err != nil {
			return t, err
		}
		g.known.retries = &t
	}
	return *g.known.retries, nil
}

// retrySQL is a statement for each turn; %[1]d stands for the table that is filled,
// %[2]d for the one before.
func retrySQL(sql string) (of [retryTables]string) {
	for i := range of {
		of[i] = fmt.Sprintf(sql, i, retryTurn{table: i}.before())
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

// retryNumber is the first number that a message may have. A conversation whose key has
// more than 31 bits shares its numbers with another, which costs time and nothing else.
func retryNumber(conv int64, tag uint32) int64 { return conv<<32 | int64(tag) }

// nextRetry is the number to try behind one that is another message's.
func nextRetry(number int64) int64 { return retryNumber(number>>32, uint32(number)+1) }

// retryTag is the first four bytes of SHA-256 over the store's salt and the two texts,
// with a byte between them that is in no UTF-8. With the salt nobody can choose ids
// that share a number, each of which would be looked at. It is on the disk, so it may
// never come out differently.
func retryTag(salt []byte, sender, clientMsgID string) uint32 {
	var room [256]byte
	text := append(room[:0], salt...)
	text = append(text, sender...)
	text = append(text, 0xff)
	text = append(text, clientMsgID...)
	sum := sha256.Sum256(text)
	return binary.BigEndian.Uint32(sum[:])
}

// Secret is the salt; see store.Upkeep.
func (s *Store) Secret() []byte { return slices.Clone(s.writer.salt) }

// readSalt is what retry numbers are salted with, for as long as the store lasts.
func (c *connection) readSalt() (salt []byte, err error) {
	_, err = c.row(func(r *sqlite3.Stmt) { salt = bytesOrNil(r, 0) }, `SELECT salt FROM history`)
	return salt, err
}

// first is the message that was stored under the letter's client_msg_id. Where there is
// none the letter's number is claimed for the message with the next key. Errors:
// ErrConflict when its content was another. An erased message has no hash any more and
// passes for the same. A client is not told of what a former holder of its id sent.
func (g *group) first(p *place, l *letter) (m skein.Message, found bool, err error) {
	l.claimed = 0 // of a commit that was given up
	if l.ClientMsgID == "" {
		return m, false, nil
	}
	key, err := g.nextMessage()
	if err != nil {
		return m, false, err
	}
	number := retryNumber(p.key, l.tag)
	turn, err := g.retryTurn()
	if err != nil {
		return m, false, err
	}
	if claimed, err := g.change(retryClaim[turn.table], number, key); err != nil || claimed {
		l.claimed = number
		return m, false, err
	}
	for _, table := range [...]int{turn.before(), turn.table} {
		if m, found, l.claimed, err = g.earlier(table, number, p, l); err != nil || found {
			l.claimed = 0
			return m, found, err
		}
	}
	return m, false, g.exec(retryTake[turn.table], l.claimed, key)
}

// earlier looks for the first message in one of the tables, from a number on; free is
// the number behind those that are other messages'.
func (g *group) earlier(table int, number int64, p *place, l *letter) (m skein.Message, found bool, free int64, err error) {
	for {
		var key int64
		taken, err := g.row(func(r *sqlite3.Stmt) { key = r.ColumnInt64(0) }, retryHolder[table], number)
		if err != nil || !taken {
			return m, false, number, err
		}
		same := false
		found, err = g.row(func(r *sqlite3.Stmt) {
			m = readMessage(r, l.Conv)
			hash := r.ColumnRawBlob(messageColumnCount)
			same = len(hash) == 0 || bytes.Equal(hash, l.hash) || l.sameBefore(m, hash)
		}, firstMessage, l.App, l.Sender, p.key, l.ClientMsgID, key)
		if found && !same {
			return skein.Message{}, false, 0, skein.About(skein.ErrConflict, "client_msg_id")
		}
		if err != nil || found {
			return m, found, 0, err
		}
		number = nextRetry(number)
	}
}

// giveBack frees the number of a letter that is not stored.
func (g *group) giveBack(l *letter) error {
	if l.claimed == 0 {
		return nil
	}
	turn, err := g.retryTurn()
	if err != nil {
		return err
	}
	return g.exec(retryGive[turn.table], l.claimed)
}

// rememberRetry lets retries of an imported message find it.
func (g *group) rememberRetry(conv int64, tag uint32, key int64) error {
	turn, err := g.retryTurn()
	for number := retryNumber(conv, tag); err == nil; number = nextRetry(number) {
		var claimed bool
		if claimed, err = g.change(retryClaim[turn.table], number, key); claimed {
			break
		}
	}
	return err
}

const firstMessage = `SELECT ` + messageColumns + `, content_hash FROM messages
	WHERE message_key = ?5 AND conv_key = ?3 AND sender = ?2 AND client_msg_id = ?4
	AND incarnation = (SELECT incarnation FROM clients WHERE app_key = ` + appKey + ` AND id = ?2)`

// forgetRetries begins to fill the next table when the one at hand has been filled for
// RetryTime, and takes some rows out of the one that is not needed any more. It reports
// whether there were any. A clock that was put back begins the time anew.
func (p *purge) forgetRetries() (found bool, err error) {
	turn, err := p.retryTurn()
	if err != nil {
		return false, err
	}
	if found, err = p.row(nil, retryAny[turn.next()]); err != nil {
		return false, err
	}
	if found {
		n, err := p.changes(retryPurge[turn.next()], p.left)
		p.left -= int(n)
		return true, err
	}
	switch due := turn.since.Add(store.RetryTime); {
	case p.now < turn.since:
		turn.since = p.now
	case p.now >= due:
		turn = retryTurn{turn.next(), p.now}
	default:
		return false, nil
	}
	if err := p.exec(`UPDATE history SET retry_table = ?1, retry_since = ?2`, turn.table, turn.since); err != nil {
		return false, err
	}
	p.known.retries = &turn
	return true, nil
}

// oldRetries reports whether forgetRetries has work to do.
func (p *purge) oldRetries() (found bool, err error) {
	turn, err := p.retryTurn()
	if err != nil {
		return false, err
	}
	return p.row(nil, retryAny[turn.next()])
}

// sameBefore reports whether the letter has the content of a message that was stored
// when its hash was still one of its attr and mentions as they were written. It can be
// taken again from the letter as it is written, or compared with what is stored, as
// long as that was not edited.
func (l *letter) sameBefore(m skein.Message, hash []byte) bool {
	return bytes.Equal(hash, contentHash(l.Body)) || m.Version == 1 && bytes.Equal(contentHash(canonical(m.Body)), l.hash)
}

// canonical is a body whose attr and mentions are written in the one way in which the
// content of two bodies is compared.
func canonical(b skein.Body) skein.Body {
	if b.Attr != nil {
		b.Attr = store.CanonicalJSON(b.Attr)
	}
	if !slices.IsSorted(b.Mentions) {
		b.Mentions = slices.Sorted(slices.Values(b.Mentions))
	}
	return b
}

// contentHash tells two bodies apart: 16 bytes of SHA-256 over its fields, each
// with its length before it. NoSync is no part of it: it is about the delivery,
// and REST and socket differ in its default.
func contentHash(b skein.Body) []byte {
	var room [512]byte
	fields := binary.AppendVarint(room[:0], int64(b.Type))
	for _, field := range [][]byte{[]byte(b.Text), b.Attr, []byte(b.URL), mentionsJSON(b.Mentions), b.ReplyTo[:]} {
		fields = binary.AppendUvarint(fields, uint64(len(field)))
		fields = append(fields, field...)
	}
	if b.MentionAll {
		fields = append(fields, 1)
	}
	sum := sha256.Sum256(fields)
	return sum[:16]
}

package messages

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// first is the message that was stored under the draft's client_msg_id. If there is none,
// the draft's retry number is claimed for the next message. Errors: ErrConflict when the
// stored content differs. An erased message has lost its hash and counts as equal. A client
// never gets a message that a former holder of its id sent.
func (g group) first(p *tx.Timeline, l *draft) (m skein.Message, found bool, err error) {
	l.claimed = 0 // may be left from a commit that failed
	if l.ClientMsgID == "" {
		return m, false, nil
	}
	key, err := g.NextMessage()
	if err != nil {
		return m, false, err
	}
	number := tx.RetryNumber(p.Key, l.tag)
	turn, err := g.RetryTurn()
	if err != nil {
		return m, false, err
	}
	if claimed, err := g.ClaimRetry(turn, number, key); err != nil || claimed {
		l.claimed = number
		return m, false, err
	}
	for _, table := range [...]int{turn.Before(), turn.Table} {
		if m, found, l.claimed, err = g.earlier(table, number, p, l); err != nil || found {
			l.claimed = 0
			return m, found, err
		}
	}
	_, err = g.TakeRetry(turn, l.claimed, key)
	return m, false, err
}

// earlier looks in one table for the message that the draft repeats, beginning at a number.
// free is the first number that no message has.
func (g group) earlier(table int, number int64, p *tx.Timeline, l *draft) (m skein.Message, found bool, free int64, err error) {
	for {
		key, taken, err := g.RetryHolder(table, number)
		if err != nil || !taken {
			return m, false, number, err
		}
		same := false
		found, err = g.Row(func(r *sqlite3.Stmt) {
			m = tx.ReadMessage(r, l.Conv)
			hash := r.ColumnRawBlob(tx.MessageColumnCount)
			same = rows.SameContent(m, hash, l.Sent(), l.hash)
		}, firstMessage, l.App, l.Sender, p.Key, l.ClientMsgID, key)
		if found && !same {
			return skein.Message{}, false, 0, skein.About(skein.ErrConflict, "client_msg_id")
		}
		if err != nil || found {
			return m, found, 0, err
		}
		number = tx.NextRetry(number)
	}
}

const firstMessage = `SELECT ` + tx.MessageColumns + `, content_hash FROM messages
	WHERE message_key = ?5 AND conv_key = ?3 AND sender = ?2 AND client_msg_id = ?4
	AND incarnation = (SELECT incarnation FROM clients WHERE app_key = ` + tx.AppKey + ` AND id = ?2)`

package messages

import (
	"bytes"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// first is the message that was stored under the draft's client_msg_id. Where there is
// none the draft's number is claimed for the message with the next key. Errors:
// ErrConflict when its content was another. An erased message has no hash any more and
// passes for the same. A client is not told of what a former holder of its id sent.
func (g group) first(p *tx.Timeline, l *draft) (m skein.Message, found bool, err error) {
	l.claimed = 0 // of a commit that was given up
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
	return m, false, g.TakeRetry(turn, l.claimed, key)
}

// earlier looks for the first message in one of the tables, from a number on; free is
// the number behind those that are other messages'.
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
			same = len(hash) == 0 || bytes.Equal(hash, l.hash) || l.sameBefore(m, hash)
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

// sameBefore reports whether the draft has the content of a message that was stored
// when its hash was still one of its attr and mentions as they were written. It can be
// taken again from the draft as it is written, or compared with what is stored, as
// long as that was not edited.
func (l *draft) sameBefore(m skein.Message, hash []byte) bool {
	return bytes.Equal(hash, tx.ContentHash(l.Body)) || m.Version == 1 && bytes.Equal(tx.ContentHash(tx.Canonical(m.Body)), l.hash)
}

package transfer

import (
	"fmt"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/transfer"
)

func (t *tables) Message(a *transfer.Arrival, seq int64) (*store.MessageRecord, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	page, err := t.messages(a.Key, a.ID, seq-1, seq)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	return page[0], nil
}

// AddMessage implements transfer.Tables. If somebody else takes the id at the same moment the
// transaction fails.
func (t *tables) AddMessage(a *transfer.Arrival, r *store.MessageRecord, m transfer.MessageRow) (stored bool, err error) {
	if t.taken[r.ID] {
		return false, nil
	}
	t.taken[r.ID] = true
	t.write(`INSERT INTO messages (conv_key, seq, id, sender, client_msg_id, content_hash,
		type, status, flags, created, updated, reply_to, mentions, url, attr, text, version, changed, pinned, reactions, incarnation)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
			CASE WHEN $21 THEN 0 ELSE (SELECT incarnation FROM clients WHERE app_key = $22 AND id = $4) END)`,
		a.Key, r.Seq, r.ID, r.Sender, tx.TextOrNull(r.ClientMsgID), m.Hash,
		r.Type, r.Status, m.Flags, r.Created, r.Updated, tx.IDOrNull(r.ReplyTo), rows.MentionsJSON(r.Mentions), r.URL, r.Attr, r.Text,
		max(r.Version, 1), r.Changed, r.Pinned, m.Reactions, r.Former, t.key)
	if m.Retry {
		tag := int64(rows.LongRetryTag(t.salt, r.Sender, r.ClientMsgID) >> 1)
		t.write(fmt.Sprintf(`INSERT INTO retries_%d (conv_key, tag, seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, t.retries), a.Key, tag, r.Seq)
	}
	t.besideMessage(a, r)
	return true, nil
}

// besideMessage writes what other tables hold about a message.
func (t *tables) besideMessage(a *transfer.Arrival, r *store.MessageRecord) {
	if r.Status == skein.StatusNormal {
		t.nameUploads(tx.Thing{Kind: tx.ByMessage, Key: a.Key, Seq: r.Seq}, r.Uploads())
		if clients := tx.Mentioned(r.Body); len(clients) > 0 {
			t.write(`INSERT INTO mentions (conv_key, client_id, seq) SELECT $1, c, $2 FROM unnest($3::text[]) c ON CONFLICT DO NOTHING`, a.Key, r.Seq, clients)
		}
	}
	for _, one := range r.Reacted {
		t.write(`INSERT INTO reactions (conv_key, seq, emoji, client_id, place, incarnation)
			VALUES ($1, $2, $3, $4, $5, coalesce((SELECT incarnation FROM clients WHERE app_key = $6 AND id = $4), 1))
			ON CONFLICT DO NOTHING`, a.Key, r.Seq, one.Emoji, one.Client, one.Change, t.key)
	}
	if len(r.Hidden) > 0 {
		t.write(`INSERT INTO hidden (conv_key, client_id, seq) SELECT $1, c, $2 FROM unnest($3::text[]) c ON CONFLICT DO NOTHING`, a.Key, r.Seq, r.Hidden)
	}
	t.keepUnknown(transfer.UnknownMessage, a.Key, r.Seq, r.Unknown)
}

func (t *tables) Change(a *transfer.Arrival, seq int64) (*store.ChangeRecord, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	page, err := t.changes(a.Key, a.ID, seq-1, seq)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	return page[0], nil
}

// AddChange implements transfer.Tables. A conversation has all messages up to its LastSeq.
func (t *tables) AddChange(a *transfer.Arrival, r *store.ChangeRecord) (found bool, err error) {
	if r.Message < 1 || r.Message > a.LastSeq {
		return false, nil
	}
	t.write(`INSERT INTO changes (conv_key, change_seq, kind, seq, client_id, at, emoji, on_off) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		a.Key, r.Seq, r.Kind, r.Message, r.By, r.At, r.Emoji, r.On)
	t.keepUnknown(transfer.UnknownChange, a.Key, r.Seq, r.Unknown)
	return true, nil
}

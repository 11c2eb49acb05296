package transfer

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
	"github.com/skein-im/skein/internal/store/transfer"
)

func (t *tables) Message(a *transfer.Arrival, seq int64) (*store.MessageRecord, error) {
	page, err := t.messagePage(a.Key, a.ID, seq-1, seq, 1)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	return page[0], nil
}

const importMessage = `INSERT INTO messages (message_key, conv_key, seq, id, sender, client_msg_id, content_hash,
	type, status, flags, created, updated, reply_to, mentions, url, attr, text, version, changed, pinned, reactions, incarnation)
	VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
		iif(?22, 0, (SELECT incarnation FROM clients WHERE app_key = ?23 AND id = ?5)))
	ON CONFLICT (id) DO NOTHING`

func (t *tables) AddMessage(a *transfer.Arrival, r *store.MessageRecord, m transfer.MessageRow) (stored bool, err error) {
	key, err := t.NextMessage()
	if err != nil {
		return false, err
	}
	stored, err = t.group.Change(importMessage,
		key, a.Key, r.Seq, r.ID, r.Sender, tx.TextOrNull(r.ClientMsgID), m.Hash,
		r.Type, r.Status, m.Flags, r.Created, r.Updated, tx.IDOrNull(r.ReplyTo), engine.RawText(rows.MentionsJSON(r.Mentions)), r.URL, engine.RawText(r.Attr), r.Text,
		max(r.Version, 1), r.Changed, r.Pinned, engine.RawText(m.Reactions), r.Former, t.key)
	if err != nil || !stored {
		return false, err
	}
	t.group.Known.NextMessage = key + 1
	if m.Retry {
		if err := t.group.RememberRetry(a.Key, rows.RetryTag(t.salt, r.Sender, r.ClientMsgID), key); err != nil {
			return false, err
		}
	}
	return true, t.besideMessage(a, key, r)
}

// besideMessage writes what other tables hold about a message.
func (t *tables) besideMessage(a *transfer.Arrival, key int64, r *store.MessageRecord) error {
	if r.Status == skein.StatusNormal {
		if err := t.NameUploads(t.app, tx.ByMessage, key, r.Uploads()); err != nil {
			return err
		}
		if err := t.NoteMentions(a.Key, r.Seq, r.MentionAll, r.Mentions); err != nil {
			return err
		}
	}
	for _, one := range r.Reacted {
		if err := t.group.Exec(`INSERT INTO reactions (conv_key, seq, emoji, client_id, place, incarnation)
			VALUES (?1, ?2, ?3, ?4, ?5, coalesce((SELECT incarnation FROM clients WHERE app_key = ?6 AND id = ?4), 1))
			ON CONFLICT DO NOTHING`, a.Key, r.Seq, one.Emoji, one.Client, one.Change, t.key); err != nil {
			return err
		}
	}
	for _, client := range r.Hidden {
		if err := t.group.Exec(`INSERT INTO hidden (conv_key, client_id, seq) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`, a.Key, client, r.Seq); err != nil {
			return err
		}
	}
	return t.keepUnknown(transfer.UnknownMessage, key, 0, r.Unknown)
}

func (t *tables) Change(a *transfer.Arrival, seq int64) (*store.ChangeRecord, error) {
	page, err := t.changePage(a.Key, a.ID, seq-1, seq, 1)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	return page[0], nil
}

func (t *tables) AddChange(a *transfer.Arrival, r *store.ChangeRecord) (found bool, err error) {
	found, err = t.group.Change(`INSERT INTO changes (conv_key, change_seq, kind, message_key, client_id, at, emoji, on_off)
		SELECT ?1, ?2, ?3, message_key, ?5, ?6, ?7, ?8 FROM messages WHERE conv_key = ?1 AND seq = ?4`,
		a.Key, r.Seq, int(r.Kind), r.Message, r.By, r.At, r.Emoji, r.On)
	if err == nil && found {
		err = t.keepUnknown(transfer.UnknownChange, a.Key, r.Seq, r.Unknown)
	}
	return found, err
}

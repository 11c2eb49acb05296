package transfer

import (
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// importMessage adds the next message of its conversation.
func (i *importing) importMessage(r *store.MessageRecord) (any, error) {
	a, err := i.into(r.Conv)
	if err != nil {
		return nil, err
	}
	if r.Seq <= a.LastSeq {
		page, err := i.messagePage(a.ConvRow, r.Seq-1, r.Seq, 1)
		if err != nil || len(page) == 0 {
			return nil, orFault(err, skein.About(skein.ErrUnknownMessage, "seq"))
		}
		return page[0], nil
	}
	if r.Seq != a.LastSeq+1 {
		return nil, skein.Malformed("seq", "does not follow the last one here")
	}
	if there, _, err := i.client(r.Sender); err != nil || !there {
		return nil, orFault(err, skein.About(skein.ErrUnknownClient, r.Sender))
	}
	key, err := i.NextMessage()
	if err != nil {
		return nil, err
	}
	stored, err := i.insertMessage(a, key, r)
	if err != nil || !stored {
		return nil, orFault(err, conflict("msg_id", "is another message's here, perhaps of another app"))
	}
	i.group.Known.NextMessage = key + 1
	a.LastSeq, a.Active, a.dirty = r.Seq, max(a.Active, r.Created), true
	if r.ClientMsgID != "" && i.group.Now < r.Created.Add(store.RetryTime) {
		if err := i.group.RememberRetry(a.Key, rows.RetryTag(i.salt, r.Sender, r.ClientMsgID), key); err != nil {
			return nil, err
		}
	}
	return nil, i.besideMessage(a, key, r)
}

const importMessage = `INSERT INTO messages (message_key, conv_key, seq, id, sender, client_msg_id, content_hash,
	type, status, flags, created, updated, reply_to, mentions, url, attr, text, version, changed, pinned, reactions, incarnation)
	VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
		iif(?22, 0, (SELECT incarnation FROM clients WHERE app_key = ?23 AND id = ?5)))
	ON CONFLICT (id) DO NOTHING`

func (i *importing) insertMessage(a *arrival, key int64, r *store.MessageRecord) (stored bool, err error) {
	hash := r.Hash
	if r.ClientMsgID != "" && hash == nil && r.Status == skein.StatusNormal {
		hash = rows.ContentHash(rows.Canonical(r.Body))
	}
	summary, err := tx.EncodeReactions(summaryOf(r.Reacted))
	if err != nil {
		return false, err
	}
	return i.group.Change(importMessage,
		key, a.Key, r.Seq, r.ID, r.Sender, tx.TextOrNull(r.ClientMsgID), hash,
		r.Type, r.Status, importedFlags(r), r.Created, r.Updated, tx.IDOrNull(r.ReplyTo), engine.RawText(rows.MentionsJSON(r.Mentions)), r.URL, engine.RawText(r.Attr), r.Text,
		max(r.Version, 1), r.Changed, r.Pinned, summary, r.Former, i.key)
}

func importedFlags(r *store.MessageRecord) (flags int) {
	for _, f := range []struct {
		set bool
		bit int
	}{{r.MentionAll, rows.FlagMentionAll}, {r.NoSync, rows.FlagNoSync}, {r.ByServer, rows.FlagServer}, {true, rows.FlagImported}} {
		if f.set {
			flags |= f.bit
		}
	}
	return flags
}

// summaryOf is the summary of reactions, which are in the order in which they were made.
func summaryOf(reacted []store.ReactionRecord) (list []skein.Reaction) {
	for _, r := range reacted {
		at := slices.IndexFunc(list, func(s skein.Reaction) bool { return s.Emoji == r.Emoji })
		if at < 0 {
			list = append(list, skein.Reaction{Emoji: r.Emoji})
			at = len(list) - 1
		}
		s := &list[at]
		if s.Count++; len(s.Clients) < skein.MaxReactionClients {
			s.Clients = append(s.Clients, r.Client)
		}
	}
	return list
}

// besideMessage writes what other tables hold about a message.
func (i *importing) besideMessage(a *arrival, key int64, r *store.MessageRecord) error {
	if r.Status == skein.StatusNormal {
		if err := i.NameUploads(i.app, tx.ByMessage, key, r.Uploads()); err != nil {
			return err
		}
		if err := i.NoteMentions(a.Key, r.Seq, r.MentionAll, r.Mentions); err != nil {
			return err
		}
	}
	for _, one := range r.Reacted {
		if err := i.group.Exec(`INSERT INTO reactions (conv_key, seq, emoji, client_id, place, incarnation)
			VALUES (?1, ?2, ?3, ?4, ?5, coalesce((SELECT incarnation FROM clients WHERE app_key = ?6 AND id = ?4), 1))
			ON CONFLICT DO NOTHING`, a.Key, r.Seq, one.Emoji, one.Client, one.Change, i.key); err != nil {
			return err
		}
	}
	for _, client := range r.Hidden {
		if err := i.group.Exec(`INSERT INTO hidden (conv_key, client_id, seq) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`, a.Key, client, r.Seq); err != nil {
			return err
		}
	}
	return i.keepUnknown(unknownMessage, key, 0, r.Unknown)
}

// importChange adds the next change to a conversation's log.
func (i *importing) importChange(r *store.ChangeRecord) (any, error) {
	a, err := i.into(r.Conv)
	if err != nil {
		return nil, err
	}
	if r.Seq <= a.Changes {
		page, err := i.changePage(a.ConvRow, r.Seq-1, r.Seq, 1)
		if err != nil || len(page) == 0 {
			return nil, orFault(err, skein.Malformed("change_seq", "is not here any more"))
		}
		return page[0], nil
	}
	if r.Seq != a.Changes+1 {
		return nil, skein.Malformed("change_seq", "does not follow the last one here")
	}
	var message int64
	found, err := i.group.Row(func(s *sqlite3.Stmt) { message = s.ColumnInt64(0) },
		`SELECT message_key FROM messages WHERE conv_key = ?1 AND seq = ?2`, a.Key, r.Message)
	if err != nil || !found {
		return nil, orFault(err, skein.About(skein.ErrUnknownMessage, "seq"))
	}
	err = i.group.Exec(`INSERT INTO changes (conv_key, change_seq, kind, message_key, client_id, at, emoji, on_off)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`, a.Key, r.Seq, int(r.Kind), message, r.By, r.At, r.Emoji, r.On)
	if err != nil {
		return nil, err
	}
	a.Changes, a.dirty = r.Seq, true
	return nil, i.keepUnknown(unknownChange, a.Key, r.Seq, r.Unknown)
}

package messages

import (
	"context"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// ChangeMessage decides on a message and changes it; see store.Changes.
func (s *Store) ChangeMessage(ctx context.Context, app string, conv, id skein.ID, by store.Authority, emoji string, decide func(skein.MessageState) (skein.Change, error)) (skein.Change, error) {
	return tx.Result(ctx, s.db, app, func(ctx context.Context, w *tx.Tx) (skein.Change, error) {
		t := transaction{w}
		at, me, err := t.Authorized(ctx, app, conv, by)
		if err != nil {
			return skein.Change{}, err
		}
		m, err := t.subject(ctx, at, id, by.Client)
		if err != nil {
			return skein.Change{}, err
		}
		state, err := t.messageState(ctx, at, m, me, by.Client, emoji)
		if err != nil {
			return skein.Change{}, err
		}
		d, err := decide(state)
		if err != nil {
			return skein.Change{}, err
		}
		return t.changeMessage(ctx, at, m, rows.Decided(d, by.Client, emoji))
	})
}

// subject is a message that is to change, as it is stored.
type subject struct {
	skein.Message

	hidden bool  // from the client that asks
	own    bool  // the client that asks sent it
	of, by int64 // incarnations of the sender and of the client that asks
}

// subject reads one of the conversation's messages. Errors: ErrUnknownMessage.
func (t transaction) subject(ctx context.Context, at tx.ConvRow, id skein.ID, by string) (m subject, err error) {
	m.Message, err = tx.ReadMessage(t.QueryRow(ctx, `SELECT `+tx.MessageColumns+`, `+tx.HiddenFrom+`$3), m.incarnation,
		coalesce((SELECT incarnation FROM clients WHERE app_key = $4 AND id = $3), 0)
		FROM messages m WHERE m.id = $2 AND m.conv_key = $1`, at.Key, id, by, at.AppKey), at.ID, &m.hidden, &m.of, &m.by)
	m.own = by != "" && m.Sender == by && m.of == m.by
	return m, tx.Missing(err, skein.ErrUnknownMessage)
}

// seen is the message as the client that asks sees it.
func (m subject) seen() skein.Message {
	seen := m.Message
	if m.hidden {
		seen.Blank(skein.StatusDeleted)
	}
	return seen
}

// messageState is what decide needs to know about a change of m by a client (empty: the
// backend) that is the member me.
func (t transaction) messageState(ctx context.Context, at tx.ConvRow, m subject, me *skein.Member, by, emoji string) (s skein.MessageState, err error) {
	s = skein.MessageState{Conversation: at.Conversation, Member: me, Message: m.seen(), Own: m.own}
	err = t.QueryRow(ctx, `SELECT (SELECT count(*) FROM messages WHERE conv_key = $1 AND pinned > 0),
		$4 <> '' AND EXISTS (SELECT 1 FROM reactions WHERE conv_key = $1 AND seq = $2 AND emoji = $3 AND client_id = $4 AND incarnation = $5)`,
		at.Key, m.Seq, emoji, by, m.by).Scan(&s.Pins, &s.Reacted)
	return s, err
}

// changeMessage applies c to m and returns it as the client that asks sees it.
func (t transaction) changeMessage(ctx context.Context, at tx.ConvRow, m subject, c skein.Change) (skein.Change, error) {
	c.Seq = at.Changes + 1
	changed, err := t.become(ctx, at, &m, c)
	if err != nil {
		return skein.Change{}, err
	}
	if !changed {
		return skein.Change{Kind: skein.ChangeNone, Message: m.seen()}, nil
	}
	if err := t.record(ctx, at, &m, c); err != nil {
		return skein.Change{}, err
	}
	c.Message = m.seen()
	return c, nil
}

// become applies c to m and to the other tables. It reports whether anything changed.
func (t transaction) become(ctx context.Context, at tx.ConvRow, m *subject, c skein.Change) (changed bool, err error) {
	switch c.Kind {
	case skein.ChangeEdit:
		return t.edit(ctx, at, m, c)
	case skein.ChangeRecall:
		return t.blank(ctx, at, m, c, skein.StatusRecalled)
	case skein.ChangeReact:
		return t.react(ctx, at.Key, m, c)
	case skein.ChangePin:
		return t.pin(ctx, at.Key, m, c)
	case skein.ChangeHide:
		return t.hide(ctx, at.Key, m, c)
	default:
		return false, nil
	}
}

// mustBeNormal refuses to change a message that was recalled or deleted.
func (m *subject) mustBeNormal() error {
	if m.Status != skein.StatusNormal {
		return skein.About(skein.ErrConflict, "msg_id")
	}
	return nil
}

// thing is the message as something that names files.
func (m *subject) thing(at tx.ConvRow) tx.Thing {
	return tx.Thing{Kind: tx.ByMessage, Key: at.Key, Seq: m.Seq}
}

func (t transaction) edit(ctx context.Context, at tx.ConvRow, m *subject, c skein.Change) (bool, error) {
	if err := m.mustBeNormal(); err != nil {
		return false, err
	}
	to, remention := c.Message.Body, m.mentionsOthers(c.Message.Body)
	if m.Text == to.Text && string(m.Attr) == string(to.Attr) && !remention {
		return false, nil
	}
	m.Text, m.Attr = to.Text, to.Attr
	m.Version++
	m.Updated = c.At
	if remention {
		if m.MentionAll, m.Mentions = to.MentionAll, to.Mentions; len(m.Mentions) == 0 {
			m.Mentions = nil
		}
		if err := t.RenewMentions(ctx, at.Key, m.Seq, m.Body); err != nil {
			return false, err
		}
	}
	return true, t.RenameUploads(ctx, at.AppKey, m.thing(at), m.Uploads())
}

// mentionsOthers reports whether a body mentions other clients than m.
func (m *subject) mentionsOthers(than skein.Body) bool {
	return m.MentionAll != than.MentionAll || !slices.Equal(m.Mentions, than.Mentions)
}

// blank removes the content of m and everything derived from it. The content hash goes too:
// anyone could guess a short text from its hash.
func (t transaction) blank(ctx context.Context, at tx.ConvRow, m *subject, c skein.Change, as skein.Status) (bool, error) {
	if m.Status != skein.StatusNormal {
		return false, nil
	}
	m.Blank(as)
	m.Updated = c.At
	err := t.ForgetMentions(ctx, at.Key, m.Seq)
	if err == nil {
		_, err = t.Exec(ctx, `DELETE FROM reactions WHERE conv_key = $1 AND seq = $2`, at.Key, m.Seq)
	}
	if err == nil {
		err = t.RenameUploads(ctx, at.AppKey, m.thing(at), nil)
	}
	return true, err
}

// record stores the changed m, adds c to the log of changes, and tells the commit hook.
func (t transaction) record(ctx context.Context, at tx.ConvRow, m *subject, c skein.Change) (err error) {
	told := skein.Committed{Message: m.seen(), App: at.App, ConvType: at.Type, RosterRev: at.RosterRev}
	if c.Kind != skein.ChangeHide { // hiding concerns only the client that did it
		m.Changed = c.Seq
		if err := t.save(ctx, at.Key, *m); err != nil {
			return err
		}
		told.Message = m.Message
		if told.Hidden, err = t.conn().hiders(ctx, at.Key, m.Seq); err != nil {
			return err
		}
	}
	if told.Stamp, err = t.log(ctx, at.Key, *m, c); err != nil {
		return err
	}
	c.Message = told.Message
	told.Change = &c
	t.Told(at.Key, told)
	return nil
}

// save stores the columns of a message that can change. The columns that only blanking
// changes are cleared in SQL.
func (t transaction) save(ctx context.Context, conv int64, m subject) error {
	summary, err := rows.EncodeReactions(m.Reactions)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE messages SET status = $3, updated = $4, attr = $5, text = $6, version = $7, changed = $8,
		pinned = $9, reactions = $10, flags = flags & ~1 | $11, mentions = $12,
		url = CASE WHEN $13 THEN url ELSE '' END,
		content_hash = CASE WHEN $13 THEN content_hash END
		WHERE conv_key = $1 AND seq = $2`,
		conv, m.Seq, m.Status, m.Updated, m.Attr, m.Text, m.Version, m.Changed,
		m.Pinned, summary, rows.MentionAllFlag(m.Body), rows.MentionsJSON(m.Mentions), m.Status == skein.StatusNormal)
	return err
}

// log adds a change to the log and returns the stamp that the conversation has then. A deleted
// conversation, whose messages may still be erased, keeps the stamp of its deletion, so that
// clients do not sync the deletion again.
func (t transaction) log(ctx context.Context, conv int64, m subject, c skein.Change) (stamp int64, err error) {
	_, err = t.Exec(ctx, `INSERT INTO changes (conv_key, change_seq, kind, seq, client_id, at, emoji, on_off)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, conv, c.Seq, c.Kind, m.Seq, c.By, c.At, c.Emoji, c.On)
	if err == nil {
		err = t.QueryRow(ctx, `UPDATE conversations SET last_change = $2, moved = CASE deleted WHEN 0 THEN `+tx.Stamp+` ELSE moved END WHERE conv_key = $1
			RETURNING moved`, conv, c.Seq).Scan(&stamp)
	}
	return stamp, err
}

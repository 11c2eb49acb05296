package messages

import (
	"context"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// changeJob is about how many bytes a waiting change holds. The edited text, held by decide,
// is not visible here and is included as an estimate.
const changeJob = 4 << 10

// ChangeMessage decides on a message and changes it; see store.Changes.
func (s *Store) ChangeMessage(ctx context.Context, app string, conv, id skein.ID, by store.Authority, emoji string, decide func(skein.MessageState) (skein.Change, error)) (skein.Change, error) {
	return tx.Write(ctx, s.db, tx.Job{App: app, Bytes: changeJob, Rows: 4}, func(g group) (skein.Change, error) {
		at, me, err := g.Authorized(app, conv, by)
		if err != nil {
			return skein.Change{}, err
		}
		m, err := g.subject(at, id, by.Client)
		if err != nil {
			return skein.Change{}, err
		}
		state, err := g.messageState(at, m, me, by.Client, emoji)
		if err != nil {
			return skein.Change{}, err
		}
		d, err := decide(state)
		if err != nil {
			return skein.Change{}, err
		}
		return g.changeMessage(at, m, rows.Decided(d, by.Client, emoji))
	})
}

// subject is a message that is to change, as it is stored.
type subject struct {
	skein.Message

	key    int64
	hidden bool  // from the client that asks
	own    bool  // the client that asks sent it
	of, by int64 // incarnations of the sender and of the client that asks
}

// subject reads one of the conversation's messages. Errors: ErrUnknownMessage.
func (g group) subject(at tx.ConvRow, id skein.ID, by string) (m subject, err error) {
	found, err := g.Row(func(r *sqlite3.Stmt) {
		m.Message = tx.ReadMessage(r, at.ID)
		m.key = r.ColumnInt64(tx.MessageColumnCount)
		m.hidden = r.ColumnBool(tx.MessageColumnCount + 1)
		m.of, m.by = r.ColumnInt64(tx.MessageColumnCount+2), r.ColumnInt64(tx.MessageColumnCount+3)
		m.own = by != "" && m.Sender == by && m.of == m.by
	}, `SELECT `+tx.MessageColumns+`, message_key, `+tx.HiddenFrom+`?3), incarnation,
		(SELECT incarnation FROM clients WHERE app_key = (SELECT app_key FROM apps WHERE id = ?4) AND id = ?3)
		FROM messages m WHERE id = ?2 AND conv_key = ?1`, at.Key, id, by, at.App)
	if err == nil && !found {
		err = skein.ErrUnknownMessage
	}
	return m, err
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
func (g group) messageState(at tx.ConvRow, m subject, me *skein.Member, by, emoji string) (s skein.MessageState, err error) {
	s = skein.MessageState{Conversation: at.Conversation, Member: me, Message: m.seen(), Own: m.own}
	if by != "" {
		s.Reacted, err = g.Row(nil, `SELECT 1 FROM reactions WHERE conv_key = ?1 AND seq = ?2 AND emoji = ?3 AND client_id = ?4 AND incarnation = ?5`,
			at.Key, m.Seq, emoji, by, m.by)
	}
	if err == nil {
		s.Pins, err = g.Count(`SELECT count(*) FROM messages WHERE conv_key = ?1 AND pinned > 0`, at.Key)
	}
	return s, err
}

// changeMessage applies c to m and returns it as the client that asks sees it.
func (g group) changeMessage(at tx.ConvRow, m subject, c skein.Change) (skein.Change, error) {
	c.Seq = at.Changes + 1
	changed, err := g.become(at, &m, c)
	if err != nil {
		return skein.Change{}, err
	}
	if !changed {
		return skein.Change{Kind: skein.ChangeNone, Message: m.seen()}, nil
	}
	if err := g.record(at, &m, c); err != nil {
		return skein.Change{}, err
	}
	c.Message = m.seen()
	return c, nil
}

// become applies c to m and to the other tables. It reports whether anything changed.
func (g group) become(at tx.ConvRow, m *subject, c skein.Change) (changed bool, err error) {
	switch c.Kind {
	case skein.ChangeEdit:
		return g.edit(at, m, c)
	case skein.ChangeRecall:
		return g.blank(at, m, c, skein.StatusRecalled)
	case skein.ChangeReact:
		return g.react(at.Key, m, c)
	case skein.ChangePin:
		return g.pin(at.Key, m, c)
	case skein.ChangeHide:
		return g.hide(at.Key, m, c)
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

func (g group) edit(at tx.ConvRow, m *subject, c skein.Change) (bool, error) {
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
		if err := g.RenewMentions(at.Key, m.Seq, m.Body); err != nil {
			return false, err
		}
	}
	return true, g.RenameUploads(at.App, tx.ByMessage, m.key, m.Uploads())
}

// mentionsOthers reports whether a body mentions other clients than m.
func (m *subject) mentionsOthers(than skein.Body) bool {
	return m.MentionAll != than.MentionAll || !slices.Equal(m.Mentions, than.Mentions)
}

// blank removes the content of m and everything derived from it. The content hash goes too:
// anyone could guess a short text from its hash.
func (g group) blank(at tx.ConvRow, m *subject, c skein.Change, as skein.Status) (bool, error) {
	if m.Status != skein.StatusNormal {
		return false, nil
	}
	m.Blank(as)
	m.Updated = c.At
	err := g.ForgetMentions(at.Key, m.Seq)
	if err == nil {
		err = g.Exec(`DELETE FROM reactions WHERE conv_key = ?1 AND seq = ?2`, at.Key, m.Seq)
	}
	if err == nil {
		err = g.RenameUploads(at.App, tx.ByMessage, m.key, nil)
	}
	return true, err
}

// record stores the changed m, adds c to the log of changes, and tells the commit hook and
// the feed.
func (g group) record(at tx.ConvRow, m *subject, c skein.Change) (err error) {
	told := skein.Committed{Message: m.seen(), App: at.App, ConvType: at.Type, RosterRev: at.RosterRev}
	if c.Kind != skein.ChangeHide { // hiding concerns only the client that did it
		m.Changed = c.Seq
		if err := g.save(*m); err != nil {
			return err
		}
		told.Message = m.Message
		if told.Hidden, err = g.conn().hiders(at.Key, m.Seq); err != nil {
			return err
		}
	}
	if err := g.log(at.Key, *m, c); err != nil {
		return err
	}
	if err := g.Event(store.Entry{Kind: store.EntryChange, App: at.App, Conv: at.ID, Change: c.Seq, Client: c.By}); err != nil {
		return err
	}
	c.Message = told.Message
	told.Change = &c
	g.Told = append(g.Told, told)
	return nil
}

// save stores the columns of a message that can change. The columns that only blanking
// changes are cleared in SQL.
func (g group) save(m subject) error {
	summary, err := tx.EncodeReactions(m.Reactions)
	if err != nil {
		return err
	}
	return g.Exec(`UPDATE messages SET status = ?2, updated = ?3, attr = ?4, text = ?5, version = ?6, changed = ?7,
		pinned = ?8, reactions = ?9, flags = flags & ~1 | ?10, mentions = ?11,
		url = CASE ?2 WHEN 1 THEN url ELSE '' END,
		content_hash = CASE ?2 WHEN 1 THEN content_hash END
		WHERE message_key = ?1`,
		m.key, m.Status, m.Updated, engine.RawText(m.Attr), m.Text, m.Version, m.Changed,
		m.Pinned, summary, rows.MentionAllFlag(m.Body), engine.RawText(rows.MentionsJSON(m.Mentions)))
}

// log adds a change to the log. A deleted conversation, whose messages may still be erased,
// keeps the stamp of its deletion, so that clients do not sync the deletion again.
func (g group) log(conv int64, m subject, c skein.Change) error {
	err := g.Exec(`INSERT INTO changes (conv_key, change_seq, kind, message_key, client_id, at, emoji, on_off)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`, conv, c.Seq, int(c.Kind), m.key, c.By, c.At, c.Emoji, c.On)
	if err == nil {
		_, err = g.Move(`UPDATE conversations SET last_change = ?2, moved = iif(deleted, moved, ?3) WHERE conv_key = ?1`+tx.ReturningMoves, conv, c.Seq, g.Stamp)
	}
	return err
}

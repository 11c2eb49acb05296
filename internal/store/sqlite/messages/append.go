package messages

import (
	"context"
	"errors"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// draft is a skein.Draft with everything that can be prepared before the commit.
type draft struct {
	*skein.Draft

	mentions engine.RawText // JSON; nil: none
	hash     []byte         // of the content; nil: no client_msg_id
	tag      uint32         // lower half of the retry number
	claimed  int64          // its retry number; zero: it has none
	uploads  []string
}

// Append stores a draft; see store.Messages.
func (s *Store) Append(ctx context.Context, d skein.Draft) (skein.Message, bool, error) {
	all, err := s.AppendAll(ctx, []skein.Draft{d})
	if err != nil {
		return skein.Message{}, false, err
	}
	return all[0].Message, all[0].Again, all[0].Err
}

// AppendAll stores drafts, each in its own job. All count as writes of the first one's app;
// see store.Messages.
func (s *Store) AppendAll(ctx context.Context, drafts []skein.Draft) ([]store.Appended, error) {
	if len(drafts) == 0 {
		return nil, nil
	}
	app, answers := drafts[0].App, make([]store.Appended, len(drafts))
	all := make([]draft, len(drafts))
	jobs := make([]*engine.Job, len(drafts))
	for i := range drafts {
		l, a := &all[i], &answers[i]
		l.write(&drafts[i], s.db.Salt)
		jobs[i] = &engine.Job{App: app, Bytes: l.size(), Rows: l.rows(), Whole: true, Run: tx.In(func(g group) (err error) {
			*a, err = g.append(l)
			return err
		})}
	}
	if err := s.db.Engine().Do(ctx, jobs...); err != nil {
		return nil, err
	}
	for i, j := range jobs {
		answers[i].Err = j.Err
	}
	return answers, nil
}

// write fills an empty draft; salt is the store's, for the retry number.
func (l *draft) write(d *skein.Draft, salt []byte) {
	l.Draft, l.uploads = d, d.Uploads()
	l.mentions = rows.MentionsJSON(d.Mentions)
	if d.ClientMsgID != "" {
		l.hash, l.tag = rows.ContentHash(rows.Canonical(d.Sent())), rows.RetryTag(salt, d.Sender, d.ClientMsgID)
	}
}

// size is about what the draft holds in memory while it waits.
func (l *draft) size() int {
	const fixed = 512
	return fixed + len(l.Text) + len(l.Attr) + len(l.URL) + len(l.mentions)
}

// rows is about how many rows the draft becomes.
func (l *draft) rows() int { return 1 + len(l.Mentions) + len(l.uploads) }

// append stores the draft or refuses it. A refusal gives the retry number back and has
// written nothing else, so it needs no savepoint.
func (g group) append(l *draft) (store.Appended, error) {
	p, err := g.Timeline(l.App, l.Conv)
	if err != nil {
		return store.Appended{}, err
	}
	first, found, err := g.first(p, l)
	if err != nil || found {
		return store.Appended{Message: first, Again: found, RosterRev: p.RosterRev}, err
	}
	var stored store.Appended
	if err = g.refusal(p, *l.Draft); err == nil {
		stored, err = g.store(p, l)
	}
	if err != nil && l.claimed != 0 && !engine.Outage(err) {
		err = errors.Join(err, g.FreeRetry(l.claimed))
	}
	return stored, err
}

// refusal is why the sender may not send this here now, or nil.
func (g group) refusal(p *tx.Timeline, d skein.Draft) error {
	return refusal(g, p.Key, p.MuteAll, d, g.Now)
}

// store inserts the draft as the next message of its conversation. Errors: ErrConflict when
// the id is taken.
func (g group) store(p *tx.Timeline, l *draft) (store.Appended, error) {
	key, err := g.NextMessage()
	if err != nil {
		return store.Appended{}, err
	}
	by, err := g.Sender(l.App, l.Sender)
	if err != nil {
		return store.Appended{}, err
	}
	m := l.Message
	m.Seq = p.LastSeq + 1
	m.Status = skein.StatusNormal
	m.Transient = false
	m.Version = 1
	stored, err := g.Change(insertMessage,
		key, p.Key, m.Seq, m.ID, m.Sender, tx.TextOrNull(m.ClientMsgID), l.hash, m.Type, m.Status, rows.FlagsOf(*l.Draft),
		m.Created, m.Updated, tx.IDOrNull(m.ReplyTo), l.mentions, m.URL, engine.RawText(m.Attr), m.Text, by.Incarnation)
	switch {
	case err != nil:
		return store.Appended{}, err
	case !stored:
		return store.Appended{}, skein.About(skein.ErrConflict, "msg_id")
	}
	g.Known.NextMessage = key + 1
	if err := g.NameUploads(l.App, tx.ByMessage, key, l.uploads); err != nil {
		return store.Appended{}, err
	}
	g.Advance(p, m)
	spoken, passed, err := g.SentBy(p, l.Sender, m.Seq, l.Speaks())
	if err != nil {
		return store.Appended{}, err
	}
	if err := g.NoteMentions(p.Key, m.Seq, l.MentionAll, l.Mentions); err != nil {
		return store.Appended{}, err
	}
	g.Told = append(g.Told, skein.Committed{Message: m, App: l.App, ConvType: p.Type, RosterRev: p.RosterRev, Device: l.Device, Trace: l.Trace, Spoken: spoken})
	return store.Appended{Message: m, Passed: passed, RosterRev: p.RosterRev}, nil
}

const insertMessage = `INSERT INTO messages (message_key, conv_key, seq, id, sender, client_msg_id, content_hash,
	type, status, flags, created, updated, reply_to, mentions, url, attr, text, incarnation)
	VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
	ON CONFLICT (id) DO NOTHING`

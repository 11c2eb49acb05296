package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// letter is a draft on its way into a row: what can be prepared outside the
// commit is.
type letter struct {
	*skein.Draft

	mentions rawText // JSON; nil: none
	hash     []byte  // of the content; nil: no client_msg_id
	tag      uint32  // lower half of the retry number
	claimed  int64   // its retry number; zero: it has none
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

// AppendAll stores drafts, each by a job of its own, from the share of the first one's
// app; see store.Messages.
func (s *Store) AppendAll(ctx context.Context, drafts []skein.Draft) ([]store.Appended, error) {
	if len(drafts) == 0 {
		return nil, nil
	}
	app, answers := drafts[0].App, make([]store.Appended, len(drafts))
	letters := make([]letter, len(drafts))
	jobs := make([]*engine.Job, len(drafts))
	for i := range drafts {
		l, a := &letters[i], &answers[i]
		l.write(&drafts[i], s.writer.salt)
		jobs[i] = &engine.Job{App: app, Bytes: l.size(), Rows: l.rows(), Whole: true, Run: in(func(g *group) (err error) {
			*a, err = g.append(l)
			return err
		})}
	}
	if err := s.engine.Do(ctx, jobs...); err != nil {
		return nil, err
	}
	for i, j := range jobs {
		answers[i].Err = j.Err
	}
	return answers, nil
}

// write makes an empty letter of a draft; salt is the store's, for the retry number.
func (l *letter) write(d *skein.Draft, salt []byte) {
	l.Draft, l.uploads = d, d.Uploads()
	l.mentions = mentionsJSON(d.Mentions)
	if d.ClientMsgID != "" {
		l.hash, l.tag = contentHash(canonical(d.Body)), retryTag(salt, d.Sender, d.ClientMsgID)
	}
}

// size is about what the letter holds in memory while it waits.
func (l *letter) size() int {
	const fixed = 512
	return fixed + len(l.Text) + len(l.Attr) + len(l.URL) + len(l.mentions)
}

// rows is about how many rows the letter becomes.
func (l *letter) rows() int { return 1 + len(l.Mentions) + len(l.uploads) }

// append decides and stores. What is refused has its retry number taken back and nothing
// else written, so it needs no savepoint.
func (g *group) append(l *letter) (store.Appended, error) {
	p, err := g.place(l.App, l.Conv)
	if err != nil {
		return store.Appended{}, err
	}
	first, found, err := g.first(p, l)
	if err != nil || found {
		return store.Appended{Message: first, Again: found, RosterRev: p.rosterRev}, err
	}
	var stored store.Appended
	if err = g.refusal(p, *l.Draft); err == nil {
		stored, err = g.store(p, l)
	}
	if err != nil && !engine.Outage(err) {
		err = errors.Join(err, g.giveBack(l))
	}
	return stored, err
}

// refusal is why the sender may not send this here now, or nil.
func (g *group) refusal(p *place, d skein.Draft) error {
	return refusal(g, p.key, p.muteAll, d, g.now)
}

// store inserts the letter as the next message of its place. Errors: ErrConflict
// when its id is there already.
func (g *group) store(p *place, l *letter) (store.Appended, error) {
	key, err := g.nextMessage()
	if err != nil {
		return store.Appended{}, err
	}
	by, err := g.sender(l.App, l.Sender)
	if err != nil {
		return store.Appended{}, err
	}
	m := l.Message
	m.Seq = p.lastSeq + 1
	m.Status = skein.StatusNormal
	m.Transient = false
	m.Version = 1
	stored, err := g.change(insertMessage,
		key, p.key, m.Seq, m.ID, m.Sender, textOrNull(m.ClientMsgID), l.hash, m.Type, m.Status, flagsOf(*l.Draft),
		m.Created, m.Updated, idOrNull(m.ReplyTo), l.mentions, m.URL, rawText(m.Attr), m.Text, by.incarnation)
	switch {
	case err != nil:
		return store.Appended{}, err
	case !stored:
		return store.Appended{}, skein.About(skein.ErrConflict, "msg_id")
	}
	g.known.nextMessage = key + 1
	if err := g.nameUploads(l.App, byMessage, key, l.uploads); err != nil {
		return store.Appended{}, err
	}
	g.advance(p, m)
	spoken, passed, err := g.speak(p, l, m.Seq)
	if err != nil {
		return store.Appended{}, err
	}
	if err := g.noteMentions(p.key, m.Seq, l.MentionAll, l.Mentions); err != nil {
		return store.Appended{}, err
	}
	g.sent = append(g.sent, skein.Sent{Message: m, App: l.App, ConvType: p.typ, RosterRev: p.rosterRev, Device: l.Device, Spoken: spoken})
	return store.Appended{Message: m, Passed: passed, RosterRev: p.rosterRev}, nil
}

const insertMessage = `INSERT INTO messages (message_key, conv_key, seq, id, sender, client_msg_id, content_hash,
	type, status, flags, created, updated, reply_to, mentions, url, attr, text, incarnation)
	VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
	ON CONFLICT (id) DO NOTHING`

// nextMessage is the key for the next message. Keys ascend in commit order and are
// never given twice: readers of the feed go by them.
func (g *group) nextMessage() (int64, error) {
	if g.known.nextMessage == 0 {
		_, err := g.row(func(r *sqlite3.Stmt) { g.known.nextMessage = r.ColumnInt64(0) + 1 },
			`SELECT max(message_key, coalesce((SELECT max(message_key) FROM messages), 0)) FROM history`)
		if err != nil {
			return 0, err
		}
	}
	return g.known.nextMessage, nil
}

// advance moves the place past its newest message; its row follows in flush.
// Active never runs back, whatever the clock did.
func (g *group) advance(p *place, m skein.Message) {
	active, expires := max(p.active, m.Created), p.expires
	if p.ttl > 0 {
		expires = max(expires, m.Created.Add(time.Duration(p.ttl)*time.Millisecond))
	}
	p.shifted = p.shifted || periodOf(active) != periodOf(p.active) || expires != p.expires
	p.lastSeq, p.active, p.expires = m.Seq, active, expires
	if !p.dirty {
		p.dirty = true
		g.dirty = append(g.dirty, p)
	}
}

// speak notes that this message is the newest of its sender's seat, if it has one.
// The place tells of the seat that spoke last, so that a seat's own row is written
// only once another has spoken; both rows follow in flush. passed: the
// sender had not read all that was said before. The backend reads nothing in a
// sender's name unless it says so: then this is no seat's message (not spoken).
func (g *group) speak(p *place, l *letter, seq int64) (spoken, passed bool, err error) {
	s, err := g.seat(p.key, l.Sender)
	if err != nil || s == nil {
		return false, false, err
	}
	if p.speaker == s.key {
		s.read = max(s.read, p.spoke)
	}
	if passed = s.read < seq-1; passed && !l.Speaks() {
		return false, false, nil
	}
	s.read = seq
	if p.speaker != s.key && p.speaker != 0 {
		g.overtaken[p.speaker] = p.spoke
	}
	p.speaker, p.spoke = s.key, seq
	return true, passed, nil
}

package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// letter is a draft on its way into a row: what can be prepared outside the
// commit is.
type letter struct {
	*skein.Draft

	mentions rawText // JSON; nil: none
	hash     []byte  // nil: no client_msg_id
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

// AppendAll stores drafts, each by a job of its own; see store.Messages.
func (s *Store) AppendAll(ctx context.Context, drafts []skein.Draft) ([]store.Appended, error) {
	answers := make([]store.Appended, len(drafts))
	letters := make([]letter, len(drafts))
	jobs := make([]*job, len(drafts))
	for i := range drafts {
		l, a := &letters[i], &answers[i]
		if err := l.write(&drafts[i]); err != nil {
			return nil, err
		}
		jobs[i] = &job{bytes: l.size(), whole: true, run: func(g *group) (err error) {
			*a, err = g.append(l)
			return err
		}}
	}
	if err := s.writer.do(ctx, jobs...); err != nil {
		return nil, err
	}
	for i, j := range jobs {
		answers[i].Err = j.err
	}
	return answers, nil
}

// write makes an empty letter of a draft.
func (l *letter) write(d *skein.Draft) error {
	l.Draft, l.uploads = d, d.Uploads()
	if len(d.Mentions) > 0 {
		mentions, err := json.Marshal(d.Mentions)
		if err != nil {
			return fmt.Errorf("encode mentions: %w", err)
		}
		l.mentions = mentions
	}
	if d.ClientMsgID != "" {
		l.hash = contentHash(d.Body, l.mentions)
	}
	return nil
}

// size is about what the letter holds in memory while it waits.
func (l *letter) size() int {
	const fixed = 512
	return fixed + len(l.Text) + len(l.Attr) + len(l.URL) + len(l.mentions)
}

// contentHash tells two bodies apart: 16 bytes of SHA-256 over its fields, each
// with its length before it. NoSync is no part of it: it is about the delivery,
// and REST and socket differ in its default.
func contentHash(b skein.Body, mentions []byte) []byte {
	var room [512]byte
	fields := binary.AppendVarint(room[:0], int64(b.Type))
	for _, field := range [][]byte{[]byte(b.Text), b.Attr, []byte(b.URL), mentions, b.ReplyTo[:]} {
		fields = binary.AppendUvarint(fields, uint64(len(field)))
		fields = append(fields, field...)
	}
	if b.MentionAll {
		fields = append(fields, 1)
	}
	sum := sha256.Sum256(fields)
	return sum[:16]
}

// append decides and stores. Nothing that may be refused comes after its first
// INSERT, so it needs no savepoint.
func (g *group) append(l *letter) (store.Appended, error) {
	p, err := g.place(l.App, l.Conv)
	if err != nil {
		return store.Appended{}, err
	}
	refusal := g.refusal(p, *l.Draft)
	if refusal != nil && (l.ClientMsgID == "" || outage(refusal)) {
		return store.Appended{}, refusal
	}
	if refusal == nil {
		m, err := g.store(p, l)
		if err != nil || m.Seq != 0 {
			return store.Appended{Message: m}, err
		}
	}
	first, found, err := g.first(p, l)
	switch {
	case err != nil:
		return store.Appended{}, err
	case found:
		return store.Appended{Message: first, Again: true}, nil
	case refusal != nil:
		return store.Appended{}, refusal
	default:
		return store.Appended{}, skein.About(skein.ErrConflict, "msg_id")
	}
}

// refusal is why the sender may not send this here now, or nil.
func (g *group) refusal(p *place, d skein.Draft) error {
	return refusal(g, p.key, p.muteAll, d, g.now)
}

// store inserts the letter as the next message of its place. A message without
// seq means that it was not stored: its id or client_msg_id is there already.
func (g *group) store(p *place, l *letter) (skein.Message, error) {
	key, err := g.nextMessage()
	if err != nil {
		return skein.Message{}, err
	}
	m := l.Message
	m.Seq = p.lastSeq + 1
	m.Status = skein.StatusNormal
	m.Transient = false
	m.Version = 1
	stored, err := g.change(insertMessage,
		key, p.key, m.Seq, m.ID, m.Sender, textOrNull(m.ClientMsgID), l.hash, m.Type, m.Status, flagsOf(*l.Draft),
		m.Created, m.Updated, idOrNull(m.ReplyTo), l.mentions, m.URL, rawText(m.Attr), m.Text)
	if err != nil || !stored {
		return skein.Message{}, err
	}
	g.known.nextMessage = key + 1
	if err := g.useUploads(l.App, key, author{l.Sender, l.Need == skein.NeedServer}, l.uploads); err != nil {
		return skein.Message{}, err
	}
	g.advance(p, m)
	if err := g.speak(p, m); err != nil {
		return skein.Message{}, err
	}
	if err := g.noteMentions(p.key, m.Seq, l); err != nil {
		return skein.Message{}, err
	}
	g.sent = append(g.sent, skein.Sent{Message: m, App: l.App, ConvType: p.typ, Device: l.Device})
	return m, nil
}

// Any uniqueness but that of (conv_key, seq) may be in the way, and that one only
// if the writer had lost count; first tells which.
const insertMessage = `INSERT INTO messages (message_key, conv_key, seq, id, sender, client_msg_id, content_hash,
	type, status, flags, created, updated, reply_to, mentions, url, attr, text)
	VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
	ON CONFLICT DO NOTHING`

// nextMessage is the key for the next message. Keys ascend and are never given
// twice as long as an erasure may still look for them; see erase.go.
func (g *group) nextMessage() (int64, error) {
	if g.known.nextMessage == 0 {
		_, err := g.row(func(r *sqlite3.Stmt) { g.known.nextMessage = r.ColumnInt64(0) + 1 },
			`SELECT max(coalesce((SELECT max(message_key) FROM messages), 0), coalesce((SELECT max(upto) FROM erasures), 0),
				coalesce((SELECT max(since) FROM clients WHERE since > 0), 0))`)
		if err != nil {
			return 0, err
		}
	}
	return g.known.nextMessage, nil
}

// advance moves the place past its newest message; its row follows in flush.
// Active never runs back, whatever the clock did.
func (g *group) advance(p *place, m skein.Message) {
	p.lastSeq = m.Seq
	p.active = max(p.active, m.Created)
	if p.ttl > 0 {
		p.expires = max(p.expires, m.Created.Add(time.Duration(p.ttl)*time.Millisecond))
	}
	if !p.dirty {
		p.dirty = true
		g.dirty = append(g.dirty, p)
	}
}

// speak notes in the sender's seat, if it has one, that this message is its
// newest; the row follows in flush.
func (g *group) speak(p *place, m skein.Message) error {
	s, err := g.seat(p.key, m.Sender)
	if err != nil || s == nil {
		return err
	}
	s.sentSeq = m.Seq
	if !s.dirty {
		s.dirty = true
		g.spoken = append(g.spoken, s)
	}
	return nil
}

// first is the message that was stored under the letter's client_msg_id. Errors:
// ErrConflict when its content was another. An erased message has no hash any
// more and passes for the same. What a former holder of the sender's id said is
// not the sender's to hear of.
func (g *group) first(p *place, l *letter) (m skein.Message, found bool, err error) {
	if l.ClientMsgID == "" {
		return m, false, nil
	}
	same := false
	found, err = g.row(func(r *sqlite3.Stmt) {
		m = readMessage(r, l.Conv)
		hash := r.ColumnRawBlob(messageColumnCount)
		same = len(hash) == 0 || bytes.Equal(hash, l.hash)
	}, firstMessage, l.App, l.Sender, p.key, l.ClientMsgID)
	if found && !same {
		return skein.Message{}, false, skein.About(skein.ErrConflict, "client_msg_id")
	}
	return m, found, err
}

const firstMessage = `SELECT ` + messageColumns + `, content_hash FROM messages
	WHERE conv_key = ?3 AND sender = ?2 AND client_msg_id = ?4
	AND message_key > coalesce((SELECT since FROM clients WHERE app_key = ` + appKey + ` AND id = ?2), 0)`

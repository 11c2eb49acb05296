package sqlite

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// A message that has a client_msg_id has a retry number: the key of its
// conversation in the upper half, a hash of its sender and its client_msg_id in the
// lower. An index of integers is narrow and quick to compare, and what is of one
// conversation lies together in it. Several messages may share a number; the texts
// tell them apart.

// retryNumber is nil without a client_msg_id. A conversation whose key has more
// than 31 bits shares its numbers with another, which costs time and nothing else.
func (l *letter) retryNumber(p *place) any {
	if l.ClientMsgID == "" {
		return nil
	}
	return p.key<<32 | int64(l.tag)
}

// retryTag is the first four bytes of SHA-256 over the store's salt and the two texts,
// with a byte between them that is in no UTF-8. With the salt nobody can choose ids
// that share a number, each of which would be looked at. It is on the disk, so it may
// never come out differently.
func retryTag(salt []byte, sender, clientMsgID string) uint32 {
	var room [256]byte
	text := append(room[:0], salt...)
	text = append(text, sender...)
	text = append(text, 0xff)
	text = append(text, clientMsgID...)
	sum := sha256.Sum256(text)
	return binary.BigEndian.Uint32(sum[:])
}

// Secret is the salt; see store.Upkeep.
func (s *Store) Secret() []byte { return slices.Clone(s.writer.salt) }

// readSalt is what retry numbers are salted with, for as long as the store lasts.
func (c *connection) readSalt() (salt []byte, err error) {
	_, err = c.row(func(r *sqlite3.Stmt) { salt = bytesOrNil(r, 0) }, `SELECT salt FROM history`)
	return salt, err
}

// first is the message that was stored under the letter's client_msg_id. Errors:
// ErrConflict when its content was another. An erased message has no hash any
// more and passes for the same. What a former holder of the sender's id said is
// not the sender's to hear of.
func (g *group) first(p *place, l *letter) (m skein.Message, found bool, err error) {
	number := l.retryNumber(p)
	if number == nil {
		return m, false, nil
	}
	// Nearly always there is none, which one integer tells at half of what the texts cost.
	if found, err = g.row(nil, retryKnown, number); err != nil || !found {
		return m, false, err
	}
	same := false
	found, err = g.row(func(r *sqlite3.Stmt) {
		m = readMessage(r, l.Conv)
		hash := r.ColumnRawBlob(messageColumnCount)
		same = len(hash) == 0 || bytes.Equal(hash, l.hash) || l.sameBefore(m, hash)
	}, firstMessage, l.App, l.Sender, p.key, l.ClientMsgID, number)
	if found && !same {
		return skein.Message{}, false, skein.About(skein.ErrConflict, "client_msg_id")
	}
	return m, found, err
}

const retryKnown = `SELECT 1 FROM messages WHERE retry = ?1`

const firstMessage = `SELECT ` + messageColumns + `, content_hash FROM messages
	WHERE retry = ?5 AND conv_key = ?3 AND sender = ?2 AND client_msg_id = ?4
	AND incarnation = (SELECT incarnation FROM clients WHERE app_key = ` + appKey + ` AND id = ?2)`

// sameBefore reports whether the letter has the content of a message that was stored
// when its hash was still one of its attr and mentions as they were written. It can be
// taken again from the letter as it is written, or compared with what is stored, as
// long as that was not edited.
func (l *letter) sameBefore(m skein.Message, hash []byte) bool {
	return bytes.Equal(hash, contentHash(l.Body)) || m.Version == 1 && bytes.Equal(contentHash(canonical(m.Body)), l.hash)
}

// canonical is a body whose attr and mentions are written in the one way in which the
// content of two bodies is compared.
func canonical(b skein.Body) skein.Body {
	if b.Attr != nil {
		b.Attr = store.CanonicalJSON(b.Attr)
	}
	if !slices.IsSorted(b.Mentions) {
		b.Mentions = slices.Sorted(slices.Values(b.Mentions))
	}
	return b
}

// contentHash tells two bodies apart: 16 bytes of SHA-256 over its fields, each
// with its length before it. NoSync is no part of it: it is about the delivery,
// and REST and socket differ in its default.
func contentHash(b skein.Body) []byte {
	var room [512]byte
	fields := binary.AppendVarint(room[:0], int64(b.Type))
	for _, field := range [][]byte{[]byte(b.Text), b.Attr, []byte(b.URL), mentionsJSON(b.Mentions), b.ReplyTo[:]} {
		fields = binary.AppendUvarint(fields, uint64(len(field)))
		fields = append(fields, field...)
	}
	if b.MentionAll {
		fields = append(fields, 1)
	}
	sum := sha256.Sum256(fields)
	return sum[:16]
}

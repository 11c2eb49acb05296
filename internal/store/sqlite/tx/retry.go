package tx

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// RetryTag is the first four bytes of SHA-256 over the store's salt and the two texts,
// with a byte between them that is in no UTF-8. With the salt nobody can choose ids
// that share a number, each of which would be looked at. It is on the disk, so it may
// never come out differently.
func RetryTag(salt []byte, sender, clientMsgID string) uint32 {
	var room [256]byte
	text := append(room[:0], salt...)
	text = append(text, sender...)
	text = append(text, 0xff)
	text = append(text, clientMsgID...)
	sum := sha256.Sum256(text)
	return binary.BigEndian.Uint32(sum[:])
}

// readSalt is what retry numbers are salted with, for as long as the store lasts.
func (c Conn) readSalt() (salt []byte, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) { salt = engine.Bytes(r, 0) }, `SELECT salt FROM history`)
	return salt, err
}

// Canonical is a body whose attr and mentions are written in the one way in which the
// content of two bodies is compared.
func Canonical(b skein.Body) skein.Body {
	if b.Attr != nil {
		b.Attr = store.CanonicalJSON(b.Attr)
	}
	if !slices.IsSorted(b.Mentions) {
		b.Mentions = slices.Sorted(slices.Values(b.Mentions))
	}
	return b
}

// ContentHash tells two bodies apart: 16 bytes of SHA-256 over its fields, each
// with its length before it. NoSync is no part of it: it is about the delivery,
// and REST and socket differ in its default.
func ContentHash(b skein.Body) []byte {
	var room [512]byte
	fields := binary.AppendVarint(room[:0], int64(b.Type))
	for _, field := range [][]byte{[]byte(b.Text), b.Attr, []byte(b.URL), MentionsJSON(b.Mentions), b.ReplyTo[:]} {
		fields = binary.AppendUvarint(fields, uint64(len(field)))
		fields = append(fields, field...)
	}
	if b.MentionAll {
		fields = append(fields, 1)
	}
	sum := sha256.Sum256(fields)
	return sum[:16]
}

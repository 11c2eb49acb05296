package rows

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Canonical is a body with attr and mentions in the canonical form in which contents are
// compared.
func Canonical(b skein.Body) skein.Body {
	if b.Attr != nil {
		b.Attr = store.CanonicalJSON(b.Attr)
	}
	if !slices.IsSorted(b.Mentions) {
		b.Mentions = slices.Sorted(slices.Values(b.Mentions))
	}
	return b
}

// ContentHash is 16 bytes of SHA-256 over the fields of a body, each preceded by its length.
// NoSync is left out: it concerns delivery only, and its default differs between REST and
// socket.
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

// SameContent reports whether a retry says what the stored message m said first. stored is
// the hash that is kept of it; empty: none, since it was erased, which counts as the same.
// hash is of the retry's canonical body. An earlier version hashed attr and mentions as the
// client wrote them; so the retry's own writing is hashed too and, unless m was edited, its
// stored body.
func SameContent(m skein.Message, stored []byte, retry skein.Body, hash []byte) bool {
	return len(stored) == 0 || bytes.Equal(stored, hash) || bytes.Equal(stored, ContentHash(retry)) ||
		m.Version == 1 && bytes.Equal(ContentHash(Canonical(m.Body)), hash)
}

// RetryTag is the first four bytes of SHA-256 over the store's salt and the two texts,
// separated by a byte that UTF-8 never contains. Because of the salt nobody can choose ids
// that share a number, which would make every search among them slow. Tags are stored, so
// this function must never return another value for the same input.
func RetryTag(salt []byte, sender, clientMsgID string) uint32 {
	return uint32(LongRetryTag(salt, sender, clientMsgID) >> 32)
}

// LongRetryTag is RetryTag with eight bytes.
func LongRetryTag(salt []byte, sender, clientMsgID string) uint64 {
	var room [256]byte
	text := append(room[:0], salt...)
	text = append(text, sender...)
	text = append(text, 0xff)
	text = append(text, clientMsgID...)
	sum := sha256.Sum256(text)
	return binary.BigEndian.Uint64(sum[:])
}

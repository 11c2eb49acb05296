package tx

import (
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

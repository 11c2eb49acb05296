package tx

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

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

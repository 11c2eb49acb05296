package cursor

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"

	"github.com/skein-im/skein"
)

// Sealer encrypts cursors and authenticates them. A cursor contains keys of rows and stamps
// of commits, from which a caller could learn how much other apps do. Safe for concurrent
// use.
type Sealer struct{ tag, stream [sha256.Size]byte } // keys

// NewSealer is the sealer of a store, by its secret.
func NewSealer(secret []byte) *Sealer {
	s := new(Sealer)
	sum(s.tag[:0], secret, []byte("tag of a cursor"))
	sum(s.stream[:0], secret, []byte("stream of a cursor"))
	return s
}

// For is the seal of the cursors that one op answers to, or about, one client of an app;
// for the backend itself the client is "".
func (s *Sealer) For(app, op, client string) Seal { return Seal{s, app, op, client} }

// Seal is the context of a cursor. A cursor opens only with the seal that it was made with.
type Seal struct {
	sealer          *Sealer
	app, op, client string
}

const (
	tagSize   = 16
	maxSealed = sha256.Size // bytes that one stream covers
)

// close is the text of a plain cursor of at most maxSealed bytes: a tag of what it is
// for and of what it says, then what it says, under a stream that the tag determines.
// The same cursor has the same text, and no two others share a stream.
func (s Seal) close(plain []byte) string {
	b := make([]byte, 0, tagSize+maxSealed)
	b = append(append(b, s.tagOf(plain)...), plain...)
	s.cover(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// open is the plain cursor of size bytes that close made the text of. Errors:
// skein.ErrMalformed.
func (s Seal) open(text string, size int) ([]byte, error) {
	b, err := decodeCursor(text, tagSize+size)
	if err != nil {
		return nil, err
	}
	s.cover(b)
	if plain := b[tagSize:]; hmac.Equal(b[:tagSize], s.tagOf(plain)) {
		return plain, nil
	}
	return nil, errCursor()
}

// tagOf authenticates a plain cursor and its seal, each text with its length before it.
func (s Seal) tagOf(plain []byte) []byte {
	var buf [256]byte
	said := buf[:0]
	for _, text := range [...]string{s.app, s.op, s.client} {
		said = binary.AppendUvarint(said, uint64(len(text)))
		said = append(said, text...)
	}
	return sum(nil, s.sealer.tag[:], append(said, plain...))[:tagSize]
}

// cover encrypts what follows the tag; a second call decrypts it.
func (s Seal) cover(b []byte) {
	rest := b[tagSize:]
	subtle.XORBytes(rest, rest, sum(nil, s.sealer.stream[:], b[:tagSize]))
}

func sum(dst, key, data []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(data) // never fails; see hash.Hash
	return mac.Sum(dst)
}

// decodeCursor is the bytes of a cursor's text; a cursor has only one valid text.
func decodeCursor(text string, size int) ([]byte, error) {
	if len(text) != base64.RawURLEncoding.EncodedLen(size) {
		return nil, errCursor()
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != size {
		return nil, errCursor()
	}
	return b, nil
}

func errCursor() error { return skein.Malformed("cursor", "invalid or expired") }

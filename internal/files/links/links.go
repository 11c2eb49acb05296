// Package links signs the links to uploads of apps whose files are private. A link names a
// moment and carries a proof, so that it opens the file until then; whoever may read what
// names the file gets a new link with it.
package links

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skein-im/skein"
)

// Param is the parameter of a link that holds its end and its proof.
const Param = "sig"

// proofSize is the length of a proof in bytes.
const proofSize = 16

// Signer signs and checks links. Safe for concurrent use.
type Signer struct {
	now  func() time.Time
	macs sync.Pool // of hash.Hash, with the key
}

// NewSigner makes the signer of an installation by the secret of its store. All nodes sign alike.
func NewSigner(secret []byte, now func() time.Time) *Signer {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("links to uploads")) // never fails; see hash.Hash
	key := mac.Sum(nil)
	return &Signer{now: now, macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// Refresh returns JSON in which every link to an upload opens the upload for the link's life
// from now. A link is UploadsPath and the name of a file, whatever stands before it; a link that
// is written with escapes stays as it is. Without a link the result is json itself.
//
// The ends of links are whole quarters of a life, so that a link stays the same for that long,
// and caches find it. So a link opens its file for three quarters of its life at least.
func (s *Signer) Refresh(app *skein.App, json []byte) []byte {
	l, ok := next(json, 0)
	if !ok {
		return json
	}
	life := int64(app.Settings.FileLinkLife)
	step := max(life/4, 1)
	until := (s.now().Unix() + life) / step * step
	out := make([]byte, 0, len(json)+128)
	for at := 0; ; {
		out = append(out, json[at:l.end]...)
		out = append(out, '?')
		out = s.appendSignature(out, app.ID, l.name, until)
		for _, param := range l.params() {
			if !bytes.HasPrefix(param, []byte(Param+"=")) {
				out = append(append(out, '&'), param...)
			}
		}
		at = l.end + len(l.query)
		if l, ok = next(json, at); !ok {
			return append(out, json[at:]...)
		}
	}
}

// appendSignature appends the parameter that opens a file until then, in Unix seconds.
func (s *Signer) appendSignature(dst []byte, app string, name []byte, until int64) []byte {
	dst = append(dst, Param+"="...)
	dst = strconv.AppendInt(dst, until, 16)
	dst = append(dst, '-')
	var buf [sha256.Size]byte
	return base64.RawURLEncoding.AppendEncode(dst, s.proof(buf[:0], app, name, until)[:proofSize])
}

func (s *Signer) proof(dst []byte, app string, name []byte, until int64) []byte {
	mac := s.macs.Get().(hash.Hash)
	defer s.macs.Put(mac)
	mac.Reset()
	var buf [256]byte
	said := binary.BigEndian.AppendUint64(buf[:0], uint64(until))
	said = append(append(append(said, app...), 0), name...) // no app id has a zero byte
	mac.Write(said)                                         // never fails; see hash.Hash
	return mac.Sum(dst)
}

// Check checks a signature of a file of an app and returns when it ends. Errors:
// skein.ErrForbidden.
func (s *Signer) Check(app, name, signature string) (until time.Time, err error) {
	end, proof, _ := bytes.Cut([]byte(signature), []byte("-"))
	seconds, err := strconv.ParseInt(string(end), 16, 64)
	if signature == "" {
		return until, refused("needed: read what names the file again for a new link")
	}
	var given, want [sha256.Size]byte
	n := 0
	if len(proof) == base64.RawURLEncoding.EncodedLen(proofSize) {
		n, _ = base64.RawURLEncoding.Strict().Decode(given[:], proof)
	}
	if s.proof(want[:0], app, []byte(name), seconds); err != nil || n != proofSize || !hmac.Equal(given[:proofSize], want[:proofSize]) {
		return until, refused("altered")
	}
	if until = time.Unix(seconds, 0); !s.now().Before(until) {
		return until, refused("expired: read what names the file again for a new link")
	}
	return until, nil
}

func refused(detail string) error {
	return &skein.Fault{Err: skein.ErrForbidden, Field: Param, Detail: detail}
}

// link is a link to an upload in a text.
type link struct {
	name  []byte
	end   int    // of its name in the text
	query []byte // what follows, from the question mark; empty: nothing
}

// params are the parameters in the query.
func (l link) params() [][]byte {
	if len(l.query) == 0 {
		return nil
	}
	return slices.DeleteFunc(bytes.Split(l.query[1:], []byte("&")), func(p []byte) bool { return len(p) == 0 })
}

// signature is the parameter that signs the link; empty: none.
func (l link) signature() string {
	for _, param := range l.params() {
		if value, ok := bytes.CutPrefix(param, []byte(Param+"=")); ok {
			return string(value)
		}
	}
	return ""
}

var path = []byte(skein.UploadsPath)

// Lengths of the name of an upload.
const (
	stem   = 32
	minExt = 2
	maxExt = 4
)

// next finds the first link that begins at from or later.
func next(text []byte, from int) (l link, ok bool) {
	for {
		i := bytes.Index(text[from:], path)
		if i < 0 {
			return l, false
		}
		from += i + len(path)
		if n := nameLength(text[from:]); n > 0 {
			return link{name: text[from : from+n], end: from + n, query: queryOf(text[from+n:])}, true
		}
	}
}

// nameLength is the length of the name of an upload at the start of a text; zero: there is none.
func nameLength(text []byte) int {
	n := 0
	for n < len(text) && n < stem && isHex(text[n]) {
		n++
	}
	if n < stem || n == len(text) || text[n] != '.' {
		return 0
	}
	n++
	for n < len(text) && n <= stem+1+maxExt && (isDigit(text[n]) || 'a' <= text[n] && text[n] <= 'z') {
		n++
	}
	if ext := n - stem - 1; ext < minExt || ext > maxExt {
		return 0
	}
	return n
}

// queryOf is the query at the start of a text. A question mark that no parameter follows ends a
// sentence.
func queryOf(text []byte) []byte {
	if len(text) == 0 || text[0] != '?' {
		return nil
	}
	n := 1
	for n < len(text) && isQuery(text[n]) {
		n++
	}
	if bytes.IndexByte(text[:n], '=') < 0 {
		return nil
	}
	return text[:n]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || 'a' <= c && c <= 'f' }

func isQuery(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("-_.~=&%+", c) >= 0
}

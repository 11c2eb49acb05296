package skein

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Upload is a file that was uploaded, by its name in the storage.
type Upload struct {
	App    string
	Name   string // 32 hex digits and an extension
	Client string // who uploaded it; empty: the backend
	At     Millis
	Until  Millis // it stays until then even if nothing names it; 0 once a message, an extend or an ext has named it
	Size   int64  // bytes
	Quota  int64  // how much the app may have uploaded with it, in bytes; zero: any amount. Not kept
	Title  string // what its uploader called it; empty: nothing
}

// StoredFile is a file as it lies in the storage.
type StoredFile struct {
	Name string
	Size int64 // bytes
	At   Millis
}

// UnnamedFor is how long a file stays after its upload if nothing names it.
const UnnamedFor = 24 * time.Hour

// OverQuota refuses an upload for which the app's storage has no room. It names the
// quota in bytes.
func OverQuota(quota int64) error {
	return &Fault{Err: ErrTooLarge, Field: "file", Detail: "exceeds what this app may store: max_storage_bytes is " + strconv.FormatInt(quota, 10)}
}

// UploadsPath stands before the name of an upload in every link to it, whatever
// host and prefix come before.
const UploadsPath = "/storage/uploads/"

// stemLength is the length of an upload's name without its extension: hex digits,
// in lower case. Nothing else is looked for, since links are written in many ways.
const stemLength = 32

// Uploads are the uploads that the message may name: their names without the
// extension, each once, in order. They may be of another app, or of none.
func (b Body) Uploads() []string { return UploadsIn(b.Attr, b.URL, b.Text) }

// Uploads are those that the conversation's extend may name; see Body.Uploads.
func (c Conversation) Uploads() []string { return UploadsIn(c.Extend) }

// Uploads are those that what is kept about the client may name; see Body.Uploads.
func (c Client) Uploads() []string { return UploadsIn(c.Ext, c.BanReason) }

// Uploads are those that the member's own texts may name; see Body.Uploads.
func (m Member) Uploads() []string { return UploadsIn(nil, m.Draft, m.Nickname) }

// UploadsIn are the uploads that JSON and texts may name; see Body.Uploads. Where
// nothing looks like a name it costs about a look at every 32nd byte
// (BenchmarkUploadsInProse).
func UploadsIn(json []byte, texts ...string) (stems []string) {
	stems = appendStems(stems, json, bytes.IndexByte)
	for _, text := range texts {
		stems = appendStems(stems, text, strings.IndexByte)
	}
	if len(stems) > 1 {
		slices.Sort(stems)
		stems = slices.Compact(stems)
	}
	return stems
}

// appendStems finds names as they stand, and behind a few layers of escapes: a link
// may be percent-encoded as a parameter of another one, in HTML, in JSON.
func appendStems[T string | []byte](stems []string, text T, index func(T, byte) int) []string {
	const layers = 4
	if len(text) < stemLength {
		return stems
	}
	stems = appendPlainStems(stems, text)
	if !hasTellingEscape(text, index) {
		return stems
	}
	plain := []byte(text)
	for range layers {
		var telling bool
		if plain, telling = unescape(plain); !telling {
			break
		}
		stems = appendPlainStems(stems, plain)
	}
	return stems
}

// appendPlainStems looks at every 32nd byte, which no run of 32 digits can avoid. Of
// a longer run the end is taken: an escaped slash may leave digits before a name.
func appendPlainStems[T string | []byte](stems []string, text T) []string {
	for i := stemLength - 1; i < len(text); i += stemLength {
		if !isHex(text[i]) {
			continue
		}
		from, to := i, i+1
		for from > 0 && isHex(text[from-1]) {
			from--
		}
		for to < len(text) && isHex(text[to]) {
			to++
		}
		if to-from >= stemLength {
			stems = append(stems, string(text[to-stemLength:to]))
		}
		i = to
	}
	return stems
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

// escapeMarks begin an escape: of URLs, JSON and HTML.
const escapeMarks = `%\&`

// isTelling reports whether a character that was escaped may have hidden a name, or
// another escape.
func isTelling(c byte) bool { return isHex(c) || strings.IndexByte(escapeMarks+"#ux;", c) >= 0 }

func hasTellingEscape[T string | []byte](text T, index func(T, byte) int) bool {
	for _, mark := range []byte(escapeMarks) {
		for rest := text; ; {
			at := index(rest, mark)
			if at < 0 {
				break
			}
			rest = rest[at:]
			if c, length := escaped(rest); length > 0 && isTelling(c) {
				return true
			}
			rest = rest[1:]
		}
	}
	return false
}

// unescape takes one layer of escapes away, in place, and tells whether one of them
// may have hidden something.
func unescape(text []byte) (plain []byte, telling bool) {
	plain = text[:0]
	for len(text) > 0 {
		c, length := escaped(text)
		if length == 0 {
			c, length = text[0], 1
		} else {
			telling = telling || isTelling(c)
		}
		plain, text = append(plain, c), text[length:]
	}
	return plain, telling
}

// escaped is the ASCII character whose escape text begins with, and how long the
// escape is; 0: it begins with none.
func escaped[T string | []byte](text T) (c byte, length int) {
	const percent, unicode = len("%37"), len(`\u0037`)
	switch {
	case len(text) >= percent && text[0] == '%':
		return ascii(text[1:percent], 16, percent)
	case len(text) >= unicode && text[0] == '\\' && text[1] == 'u':
		return ascii(text[2:unicode], 16, unicode)
	case len(text) > 2 && text[0] == '&' && text[1] == '#':
		return entity(text)
	}
	return 0, 0
}

// entity is escaped for a text that begins with &#.
func entity[T string | []byte](text T) (c byte, length int) {
	const longest = len("&#x000037;")
	end := 2
	for end < len(text) && text[end] != ';' {
		if end++; end == longest {
			return 0, 0
		}
	}
	if end == len(text) {
		return 0, 0
	}
	if digits := text[2:end]; len(digits) > 0 && digits[0]|0x20 == 'x' {
		return ascii(digits[1:], 16, end+1)
	}
	return ascii(text[2:end], 10, end+1)
}

// ascii is the character that digits stand for, with length; 0: they stand for none.
func ascii[T string | []byte](digits T, base, length int) (byte, int) {
	n := 0
	for i := range len(digits) {
		d := base
		switch c := digits[i] | 0x20; {
		case '0' <= digits[i] && digits[i] <= '9':
			d = int(digits[i] - '0')
		case 'a' <= c && c <= 'f':
			d = int(c-'a') + 10
		}
		if n = n*base + d; d >= base || n > 0x7f {
			return 0, 0
		}
	}
	if len(digits) == 0 {
		return 0, 0
	}
	return byte(n), length
}

// FileTitle is what a file may be called of what its uploader calls it: the last
// element of a path, without characters that cannot be seen, at most 255 bytes. It may
// be empty.
func FileTitle(given string) string {
	const longest, longestExt = 255, 16
	given = given[strings.LastIndexAny(given, `/\`)+1:]
	title := strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(given, "\uFFFD")))
	if strings.Trim(title, ". ") == "" {
		return ""
	}
	if len(title) <= longest {
		return title
	}
	ext := path.Ext(title)
	if len(ext) > longestExt {
		ext = ""
	}
	stem := title[:longest-len(ext)]
	for !utf8.ValidString(stem) {
		stem = stem[:len(stem)-1]
	}
	return stem + ext
}

package files

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// markupDepth is how far into a text markup is looked for, in bytes of UTF-8: more
// than any browser looks at to guess a type.
const markupDepth = 4 << 10

// isText reports whether b has no control character but those that texts have,
// in UTF-8, UTF-16 with a byte order mark, GBK or any other superset of ASCII: none
// of them uses 0xff.
func isText(b []byte) bool {
	b = toUTF8(b)
	for _, c := range b {
		switch {
		case '\t' <= c && c <= '\r' && c != '\v', c == 0x1b: // an escape colours a terminal's log
		case c < 0x20, c == 0x7f, c == 0xff:
			return false
		}
	}
	return len(b) > 0
}

// Openings of what a browser or a server would run, wherever they stand near the
// beginning, in lower case.
var markup = [][]byte{
	[]byte("<script"), []byte("<html"), []byte("<svg"), []byte("<!doctype"), []byte("<?php"), []byte("<iframe"),
}

// Openings of what is more than text when it comes first.
var openings = [][]byte{[]byte("#!"), []byte("%!ps"), []byte(`{\rtf`), []byte("<?"), []byte("<!")}

// hasMarkup reports whether a text begins with a tag, is a script or a page
// description, or has something that runs near its beginning.
func hasMarkup(b []byte) bool {
	b = toUTF8(b)
	b = bytes.ToLower(b[:min(len(b), markupDepth)])
	for _, m := range markup {
		if bytes.Contains(b, m) {
			return true
		}
	}
	b = bytes.TrimLeft(b, " \t\r\n\f")
	for _, o := range openings {
		if bytes.HasPrefix(b, o) {
			return true
		}
	}
	return len(b) > 1 && b[0] == '<' && 'a' <= b[1] && b[1] <= 'z'
}

// toUTF8 is the text without its byte order mark, and in UTF-8 where the mark says
// that it is UTF-16.
func toUTF8(b []byte) []byte {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return b[3:]
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return fromUTF16(b[2:], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return fromUTF16(b[2:], binary.BigEndian)
	}
	return b
}

func fromUTF16(b []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

package files

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// markupDepth is how many bytes of a text, as UTF-8, are searched for markup: more than any
// browser reads to guess a type.
const markupDepth = 4 << 10

// isText reports whether b is text: it has no control characters except those common in
// texts, and no byte 0xff. b may be UTF-8, UTF-16 with a byte order mark, GBK or another
// superset of ASCII; none of them uses 0xff.
func isText(b []byte) bool {
	b = toUTF8(b)
	for _, c := range b {
		switch {
		case '\t' <= c && c <= '\r' && c != '\v', c == 0x1b: // 0x1b: terminal logs have colour escapes
		case c < 0x20, c == 0x7f, c == 0xff:
			return false
		}
	}
	return len(b) > 0
}

// markup lists what a browser or a server would run if it is anywhere near the start of a
// file, in lower case.
var markup = [][]byte{
	[]byte("<script"), []byte("<html"), []byte("<svg"), []byte("<!doctype"), []byte("<?php"), []byte("<iframe"),
}

// openings lists the first bytes of scripts, page descriptions and markup.
var openings = [][]byte{[]byte("#!"), []byte("%!ps"), []byte(`{\rtf`), []byte("<?"), []byte("<!")}

// hasMarkup reports whether a text begins with a tag, is a script or a page description, or
// has markup near its start.
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

// toUTF8 removes the byte order mark. If the mark says UTF-16, it also converts to UTF-8.
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

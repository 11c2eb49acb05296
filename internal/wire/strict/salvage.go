package strict

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Salvage shows to see the members of what looks like a JSON object, up to where it no
// longer does, each with its name in quotes and its raw value. alone is false where
// another object follows it.
func Salvage(data []byte, see func(name, value jsontext.Value)) (alone bool) {
	l := loose{b: bytes.TrimPrefix(data, []byte("\ufeff"))}
	if !l.take('{') {
		return true
	}
	for !l.take('}') {
		name, ok := l.value()
		if !ok || !l.take(':') {
			break
		}
		value, ok := l.value()
		if !ok {
			break
		}
		see(name, value)
		l.take(',')
	}
	return !l.take('{')
}

// loose walks over what may be JSON; it looks only at brackets and quotes.
type loose struct {
	b  []byte
	at int
}

// peek is the next byte that is not white space; zero at the end.
func (l *loose) peek() byte {
	for l.at < len(l.b) && strings.IndexByte(" \t\r\n", l.b[l.at]) >= 0 {
		l.at++
	}
	if l.at == len(l.b) {
		return 0
	}
	return l.b[l.at]
}

// take consumes the byte c if it is next.
func (l *loose) take(c byte) bool {
	if l.peek() != c {
		return false
	}
	l.at++
	return true
}

// value consumes a string, or everything up to the next comma, colon or closing bracket
// outside of nested brackets and strings; ok is false if it has no end or is empty.
func (l *loose) value() (value jsontext.Value, ok bool) {
	isText := l.peek() == '"'
	depth := 0
	for start := l.at; l.at < len(l.b); l.at++ {
		switch l.b[l.at] {
		case '"':
			end, _ := textEnd(l.b, l.at)
			if end >= len(l.b) {
				return nil, false
			}
			if l.at = end; isText {
				l.at++
				return l.b[start:l.at], true
			}
		case '{', '[':
			depth++
		case ',', ':', '}', ']':
			if depth == 0 {
				value = bytes.TrimRight(l.b[start:l.at], " \t\r\n")
				return value, len(value) > 0
			}
			if c := l.b[l.at]; c == '}' || c == ']' {
				depth--
			}
		}
	}
	return nil, false
}

package wire

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// salvage reads what it can of a frame that is not as it must be: its type and id, so
// that the sender learns which command failed. err is why; where the fault is in the
// data it is told as for a REST body.
func salvage(b []byte, err error) (Frame, error) {
	parts := looseParts(b)
	frame, _ := parts.frame()
	if jsontext.Value(frame.Data).Kind() == '{' {
		var object struct{}
		if dataErr := readObject(frame.Data, &object); dataErr != nil {
			err = dataErr
		}
	}
	frame.Data = nil
	return frame, err
}

// looseParts are the members of what looks like an object, up to where it no longer
// does. A type that stands twice is none, and of two ids the first counts.
func looseParts(b []byte) (parts frameParts) {
	l := loose{b: bytes.TrimPrefix(b, []byte("\ufeff"))}
	if !l.take('{') {
		return parts
	}
	types := 0
	for !l.take('}') {
		name, ok := l.value()
		if !ok || !l.take(':') {
			break
		}
		value, ok := l.value()
		if !ok {
			break
		}
		switch text, _ := jsontext.AppendUnquote(nil, name); string(text) {
		case "type":
			types++
			parts.typ = readable(value)
		case "id":
			if parts.id == nil {
				parts.id = readable(value)
			}
		case "data":
			parts.data = value
		}
		l.take(',')
	}
	if l.take('{') || types != 1 { // two frames in one message: neither is the command
		parts.typ = nil
	}
	return parts
}

// readable is the value, if it can be part of an answer.
func readable(v jsontext.Value) jsontext.Value {
	if !utf8.Valid(v) || !v.IsValid(jsontext.AllowInvalidUTF8(true)) {
		return nil
	}
	return v
}

// loose walks over what may be JSON, by brackets and quotes alone.
type loose struct {
	b  []byte
	at int
}

// peek is the next byte that is no white space; zero: there is none.
func (l *loose) peek() byte {
	for l.at < len(l.b) && strings.IndexByte(" \t\r\n", l.b[l.at]) >= 0 {
		l.at++
	}
	if l.at == len(l.b) {
		return 0
	}
	return l.b[l.at]
}

// take passes the byte c, if it is next.
func (l *loose) take(c byte) bool {
	if l.peek() != c {
		return false
	}
	l.at++
	return true
}

// value passes a text, or what stands up to the next comma, colon or closing bracket
// outside of its own brackets and texts; ok is false where it does not end, or is
// nothing.
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

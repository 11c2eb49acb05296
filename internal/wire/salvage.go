package wire

import (
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/wire/strict"
)

// salvage reads what it can of a frame that is not as it must be: its type and id, so
// that the sender learns which command failed. err is why; where the fault is in the
// data it is told as for a REST body.
func salvage(b []byte, err error) (Frame, error) {
	parts := looseParts(b)
	frame, _ := parts.frame()
	if jsontext.Value(frame.Data).Kind() == '{' {
		var object struct{}
		if dataErr := strict.Object(frame.Data, &object); dataErr != nil {
			err = dataErr
		}
	}
	frame.Data = nil
	return frame, err
}

// looseParts are the members of what looks like an object, up to where it no longer
// does. A duplicate type is no type, and of two ids the first counts.
func looseParts(b []byte) (parts frameParts) {
	types := 0
	alone := strict.Salvage(b, func(name, value jsontext.Value) {
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
	})
	if !alone || types != 1 { // of two frames in one message neither is the command
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

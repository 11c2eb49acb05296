package wire

import (
	"cmp"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Limits of a frame.
const (
	MaxBody    = 256 << 10 // bytes of a frame or a REST body
	maxType    = 64        // bytes of a frame's type
	maxFrameID = 256       // bytes of a frame's id, as JSON
)

// Frame is one command of a socket. Data and ID are parts of the bytes it was read
// from.
type Frame struct {
	Type string
	Data []byte // raw JSON; nil: absent or null
	ID   []byte // raw JSON string; nil: absent or null
}

// maxFrameDepth is that of a body and of the frame around it, so that a frame's data
// may nest as deep as a body.
const maxFrameDepth = strict.MaxDepth + 1

// ParseFrame reads a command. Errors: skein.ErrMalformed, skein.ErrMissing. The
// frame's type and id are set even with an error where they could be read, so that
// the sender learns which of its commands failed.
func ParseFrame(b []byte) (Frame, error) {
	var parts frameParts // raw, so that a value of the wrong type does not hide the others
	if err := strict.Members(b, maxFrameDepth, parts.see); err != nil {
		return salvage(b, err)
	}
	return parts.frame()
}

// frameParts are the members of a frame as they were written.
type frameParts struct{ typ, data, id jsontext.Value }

func (p *frameParts) see(name, value []byte) {
	switch string(name) {
	case "type":
		p.typ = value
	case "data":
		p.data = value
	case "id":
		p.id = value
	}
}

func (p *frameParts) frame() (Frame, error) {
	frame := Frame{Data: strict.NonNull(p.data)}
	var typeErr, idErr error
	frame.Type, typeErr = frameType(p.typ)
	frame.ID, idErr = frameID(p.id)
	return frame, cmp.Or(idErr, typeErr, checkData(frame.Data))
}

// frameID is the id as it is answered. Errors: skein.ErrMalformed; even then the id is set
// if it can be written as a string.
func frameID(raw jsontext.Value) ([]byte, error) {
	raw = strict.NonNull(raw)
	_, odd := strict.Survey(raw)
	switch {
	case raw == nil:
		return nil, nil
	case len(raw) > maxFrameID:
		return nil, errFrameID
	case raw.Kind() == '0':
		return strict.AppendQuote(nil, string(raw)), errFrameID
	case raw.Kind() != '"':
		return nil, errFrameID
	case odd:
		text, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			return strict.AppendQuote(nil, string(text)), skein.Malformed("id", "unpaired surrogate")
		}
	}
	return raw, nil
}

var errFrameID = skein.Malformed("id", "must be a string of at most 254 bytes")

// checkData refuses data that is neither an object nor a list. Whether a list may stand
// for the object around it depends on the op.
func checkData(data jsontext.Value) error {
	if data == nil {
		return nil
	}
	most := strict.MaxDepth
	switch data.Kind() {
	case '{':
	case '[':
		most--
	default:
		return skein.Malformed("data", "must be an object")
	}
	if depth, _ := strict.Survey(data); depth > most {
		return strict.ErrTooDeep
	}
	return nil
}

func frameType(raw jsontext.Value) (string, error) {
	raw = strict.NonNull(raw)
	if raw == nil {
		return "", skein.Missing("type")
	}
	if raw.Kind() != '"' {
		return "", skein.Malformed("type", "must be a string")
	}
	var buf [maxType]byte
	name, err := jsontext.AppendUnquote(buf[:0], raw)
	switch {
	case err != nil:
		return "", skein.Malformed("type", "must be a string")
	case len(name) == 0:
		return "", skein.Missing("type")
	case len(name) > maxType:
		return "", skein.Malformed("type", "at most 64 bytes")
	}
	return string(name), nil
}

// AppendSuccess appends the answer to a command; data is JSON, id as in Frame.
func AppendSuccess(dst []byte, typ string, id, data []byte) []byte {
	dst = append(dst, `{"type":`...)
	dst = strict.AppendQuote(dst, typ)
	dst = append(dst[:len(dst)-1], `.success","msg":"success","data":`...)
	dst = strict.AppendOrNull(dst, data)
	return appendFrameID(dst, id)
}

// AppendFailure appends the error answer to a command; with an empty typ, to a
// frame that could not be read as one.
func AppendFailure(dst []byte, typ string, id []byte, err error, lang Lang) []byte {
	name := "error"
	if typ != "" {
		name = typ + ".error"
	}
	dst = append(dst, `{"type":`...)
	dst = strict.AppendQuote(dst, name)
	dst = append(dst, `,"msg":`...)
	dst = strict.AppendQuote(dst, Text(err, lang))
	dst = append(dst, `,"code":`...)
	dst = strconv.AppendInt(dst, int64(CodeOf(err).Code), 10)
	dst = append(dst, `,"data":null`...)
	if wait := RetryAfter(err); wait != 0 {
		dst = append(dst, `,"retry_after_ms":`...)
		dst = strconv.AppendInt(dst, max(1, wait.Milliseconds()), 10)
	}
	return appendFrameID(dst, id)
}

// AppendPong appends the answer to ping.
func AppendPong(dst, id []byte, now skein.Millis) []byte {
	dst = append(dst, `{"type":"pong","data":{"time":`...)
	dst = strconv.AppendInt(dst, int64(now), 10)
	dst = append(dst, '}')
	return appendFrameID(dst, id)
}

// AppendResync appends the frame of resync.
func AppendResync(dst []byte) []byte {
	return append(dst, `{"type":"`+skein.EventResync+`","data":{}}`...)
}

// AppendKick appends logout.kick, the last frame of a session that is ended.
func AppendKick(dst []byte, now skein.Millis, reason string) []byte {
	dst = append(dst, `{"type":"`+skein.EventKick+`","data":{"time":`...)
	dst = strconv.AppendInt(dst, int64(now), 10)
	dst = append(dst, `,"reason":`...)
	dst = strict.AppendQuote(dst, reason)
	return append(dst, "}}"...)
}

func appendFrameID(dst, id []byte) []byte {
	if id != nil {
		dst = append(dst, `,"id":`...)
		dst = append(dst, id...)
	}
	return append(dst, '}')
}

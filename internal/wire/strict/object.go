package strict

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// splitter reads the members of one JSON object. Pooled; it copies nothing.
type splitter struct {
	source  bytes.Buffer
	decoder *jsontext.Decoder
}

var splitters = sync.Pool{New: func() any {
	s := new(splitter)
	s.decoder = jsontext.NewDecoder(&s.source)
	return s
}}

// Members calls see with the name and the raw value of each member of an object, which
// nests no deeper than most. The values are parts of data. Members is as strict as Decode
// except that it does not check escapes, and costs a third. Errors: skein.ErrMalformed.
func Members(data []byte, most int, see func(name, value []byte)) error {
	odd, err := checkObject(data, most)
	if err != nil {
		return err
	}
	s, _ := splitters.Get().(*splitter)
	defer splitters.Put(s)
	s.source = *bytes.NewBuffer(data)
	s.decoder.Reset(&s.source, jsontext.AllowInvalidUTF8(odd && utf8.Valid(data)))
	err = s.read(see)
	s.source = bytes.Buffer{}
	if err != nil {
		return Fault(err)
	}
	return nil
}

func (s *splitter) read(see func(name, value []byte)) error {
	switch begin, err := s.decoder.ReadToken(); {
	case err != nil:
		return err
	case begin.Kind() != '{':
		return errNoObject
	}
	for s.decoder.PeekKind() == '"' {
		quoted, err := s.decoder.ReadValue()
		if err != nil {
			return err
		}
		name := quoted[1 : len(quoted)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			if name, err = jsontext.AppendUnquote(nil, quoted); err != nil {
				return err
			}
		}
		value, err := s.decoder.ReadValue()
		if err != nil {
			return err
		}
		see(name, value)
	}
	if _, err := s.decoder.ReadToken(); err != nil { // the closing brace, or an error
		return err
	}
	switch _, err := s.decoder.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	default:
		return skein.Malformed("", "not valid JSON at byte "+strconv.FormatInt(s.decoder.InputOffset(), 10))
	}
}

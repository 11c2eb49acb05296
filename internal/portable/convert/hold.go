package convert

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Reasons why Skein cannot store a JSON value.
var (
	errDepth  = errors.New("nests too deep")
	errNumber = errors.New("holds a number beyond the range of a double")
	errJSON   = errors.New("is not valid JSON, or has a key twice")
)

// maxDepth is the nesting depth that stored JSON may have: one less than that of a line of the
// folder, 32.
const maxDepth = 31

// lenient accepts invalid UTF-8 and lone surrogates, which other systems write. They become
// U+FFFD.
var lenient = jsontext.AllowInvalidUTF8(true)

// Text returns s as valid UTF-8 without U+0000, with U+FFFD in place of each U+0000. changed
// reports whether that differs from s.
func Text(s string) (text string, changed bool) {
	text = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	return text, text != s
}

// Compact returns a JSON value in the form that Skein stores: without white space, with only the
// necessary escapes; keys keep their order and numbers their digits. U+0000, invalid UTF-8 and
// lone surrogates become U+FFFD, which changed reports. It fails if Skein refuses the value.
func Compact(v jsontext.Value) (kept jsontext.Value, changed bool, err error) {
	dec := jsontext.NewDecoder(bytes.NewReader(v), lenient)
	var out bytes.Buffer
	enc := jsontext.NewEncoder(&out)
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) && out.Len() > 0 && enc.StackDepth() == 0 {
			break
		}
		if err != nil {
			return nil, false, errJSON
		}
		switch token.Kind() {
		case '"':
			text, odd := Text(token.String())
			changed = changed || odd
			token = jsontext.String(text)
		case '0':
			if n, err := strconv.ParseFloat(token.String(), 64); err != nil || math.IsInf(n, 0) {
				return nil, false, errNumber
			}
		default:
		}
		if err := enc.WriteToken(token); err != nil {
			return nil, false, errJSON
		}
		if enc.StackDepth() > maxDepth {
			return nil, false, errDepth
		}
	}
	kept = bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	return kept, changed || !v.IsValid(), nil
}

// Quote returns a text as a JSON value.
func Quote(s string) jsontext.Value {
	text, _ := Text(s)
	quoted, _ := jsontext.AppendQuote(nil, text) // valid UTF-8 never fails
	return quoted
}

// Field is one member of a JSON object.
type Field struct {
	Name  string
	Value jsontext.Value
}

// Object returns the object that has these fields in order; nil if there are none.
func Object(fields ...Field) jsontext.Value {
	if len(fields) == 0 {
		return nil
	}
	object := []byte{'{'}
	for i, f := range fields {
		if i > 0 {
			object = append(object, ',')
		}
		object = append(append(append(object, Quote(f.Name)...), ':'), f.Value...)
	}
	return append(object, '}')
}

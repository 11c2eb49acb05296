package convert

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrNoObject is about a row that cannot be read.
var ErrNoObject = errors.New("not a JSON object")

// Fields are the members of an object in order. Values are as they were written.
type Fields []Field

// Get returns the value of a field, the last one if it appears twice. Empty: there is none.
func (f Fields) Get(name string) string {
	for _, field := range slices.Backward(f) {
		if field.Name == name {
			return string(field.Value)
		}
	}
	return ""
}

// ReadObject reads a JSON object leniently: half surrogate pairs and duplicate keys are no error.
// Errors: ErrNoObject.
func ReadObject(v []byte) (list Fields, err error) {
	dec := jsontext.NewDecoder(bytes.NewReader(v), lenient, jsontext.AllowDuplicateNames(true))
	if dec.PeekKind() != '{' {
		return nil, ErrNoObject
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, ErrNoObject
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, ErrNoObject
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return nil, ErrNoObject
		}
		list = append(list, Field{Name: key, Value: value.Clone()})
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, ErrNoObject
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, ErrNoObject
	}
	return list, nil
}

// String reads a JSON string.
func String(v string) (s string, ok bool) {
	if jsontext.Value(v).Kind() != '"' || json.Unmarshal([]byte(v), &s, lenient) != nil {
		return "", false
	}
	return s, true
}

// Integer reads a JSON number without a fraction, or a string with such a number.
func Integer(v string) (n int64, ok bool) {
	if s, is := String(v); is {
		v = s
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// ClientID reads a client id: a string, or a whole number as its digits. Anything else becomes a
// text that is no valid client id.
func ClientID(v jsontext.Value) string {
	if s, ok := String(string(v)); ok {
		return s
	}
	if v.Kind() == '0' {
		if n, ok := Integer(string(v)); ok {
			return strconv.FormatInt(n, 10)
		}
	}
	return "(" + string(v) + ")"
}

// ClientIDs reads a list of client ids. Anything but a list becomes a text that is no valid
// client id.
func ClientIDs(v string) (ids []string) {
	var list []jsontext.Value
	switch err := json.Unmarshal([]byte(v), &list, lenient, jsontext.AllowDuplicateNames(true)); {
	case v == "":
	case err != nil:
		return []string{"(" + v + ")"}
	}
	for _, one := range list {
		ids = append(ids, ClientID(one))
	}
	return ids
}

// Moment reads a time in one of the forms that exports use. It returns Unix milliseconds, or
// zero if there is none.
func Moment(v string) int64 {
	if n, ok := Integer(v); ok {
		return n
	}
	if s, ok := String(v); ok {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return 0
		}
		return at.UnixMilli()
	}
	fields, err := ReadObject([]byte(v))
	if err != nil {
		return 0
	}
	for _, name := range []string{"iso", "$date", "$numberLong"} {
		if v := fields.Get(name); v != "" {
			return Moment(v)
		}
	}
	return 0
}

// Truth reports whether a flag is set.
func Truth(v string) bool { return v == "true" || v == "1" || v == `"true"` }

// Package strict reads JSON strictly and writes it fast. It accepts one value of valid
// UTF-8 without duplicate keys, at most MaxDepth levels deep, and names the field that
// is wrong. It knows the tags and kinds of fields, but no request and no answer.
package strict

import (
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// MaxDepth bounds how deep a body may nest.
const MaxDepth = 32

// Decode reads one JSON object into the request struct in and holds it to its
// tags: a field with need:"1" must be there and not be empty. nil is an empty
// object; a bare list is the field with bare:"1". JSON is read strictly: UTF-8, no
// duplicate keys, exact key case, one value, depth ≤ 32; unknown fields are
// ignored. Errors: skein.ErrMalformed and skein.ErrMissing, naming the field.
func Decode(data []byte, in any) error {
	if len(data) > 0 {
		if err := Object(wrapList(data, in), in); err != nil {
			return err
		}
	}
	return Complete(in)
}

// DecodeHTTP reads a request from a body, a query and the parameters of a path. A path
// value wins over the query, and the query over the body.
func DecodeHTTP(body []byte, query url.Values, path map[string]string, in any) error {
	if len(body) > 0 {
		if err := Object(wrapList(body, in), in); err != nil {
			return err
		}
	}
	if len(query)+len(path) > 0 {
		doc, err := objectOf(in, query, path)
		if err != nil {
			return err
		}
		if err := Object(doc, in); err != nil {
			return err
		}
	}
	return Complete(in)
}

// Object reads one JSON object into in, as Decode does, and requires no field.
func Object(data []byte, in any) error {
	odd, err := checkObject(data, MaxDepth)
	if err == nil && odd {
		data, err = mendTexts(data, in)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, in); err != nil {
		return Fault(err)
	}
	return nil
}

// checkObject refuses JSON that nests deeper than most or is not an object. It does not
// check the syntax, which the decoder does. odd: mendTexts must look at the escapes.
func checkObject(data []byte, most int) (odd bool, err error) {
	depth, odd := Survey(data)
	if depth > most {
		return odd, ErrTooDeep
	}
	if v := jsontext.Value(data); v.Kind() != '{' && v.IsValid() {
		return odd, errNoObject
	}
	return odd, nil
}

// ErrTooDeep refuses JSON that nests deeper than MaxDepth.
var ErrTooDeep = skein.Malformed("", "at most 32 levels of nesting")

var errNoObject = skein.Malformed("", "must be a JSON object")

// wrapList wraps a bare list in the object that it stands for. It returns anything else unchanged.
func wrapList(data []byte, in any) []byte {
	if list := jsontext.Value(data); list.Kind() != '[' || !list.IsValid() {
		return data
	}
	for _, f := range fieldsOf(reflect.TypeOf(in).Elem()) {
		if f.bare {
			data = append(append(AppendQuote([]byte{'{'}, f.name), ':'), data...)
			return append(data, '}')
		}
	}
	return data
}

// ownKinds are the errors of the types of this package; Fault shows their texts.
var ownKinds = []error{errIDKind, errFlagKind, errGivenText, errGivenInt}

// Fault is an error of the JSON reader as a skein.Fault that names the field.
func Fault(err error) error {
	if fault, ok := errors.AsType[*skein.Fault](err); ok {
		return fault
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		detail := "wrong type"
		if own := semantic.Err; slices.ContainsFunc(ownKinds, func(kind error) bool { return errors.Is(own, kind) }) {
			detail = own.Error()
		}
		return skein.Malformed(fieldName(semantic.JSONPointer), detail)
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return skein.Malformed(fieldName(syntactic.JSONPointer), "duplicate")
		}
		return skein.Malformed("", "not valid JSON at byte "+strconv.FormatInt(syntactic.ByteOffset, 10))
	}
	return skein.Malformed("", "not valid JSON")
}

// fieldName writes a pointer as callers know it: update.conv_extend, client_ids.0.
func fieldName(p jsontext.Pointer) string {
	const longest = 80
	name := strings.Join(slices.Collect(p.Tokens()), ".")
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "")
	}
	return name
}

// field is what Decode knows of one field of a request struct.
type field struct {
	index []int
	name  string
	need  bool
	bare  bool
	prose bool // text of people: an unpaired surrogate becomes U+FFFD
	kind  fieldKind
	list  bool // a list of kind: a query has a JSON list, or the field several times
}

type fieldKind int8

const (
	textField    fieldKind = iota // a query value is the text itself
	integerField                  // a query value is an integer
	flagField                     // a query value is 0, 1, true or false
	jsonField                     // a query value is JSON
)

var fieldCache sync.Map // reflect.Type → []field

func fieldsOf(t reflect.Type) []field {
	if got, ok := fieldCache.Load(t); ok {
		return got.([]field) //nolint:forcetypeassert // the line of fieldCache says so
	}
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		kind, list := kindOf(f.Type), false
		if kind == jsonField && f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() != reflect.Uint8 {
			if of := kindOf(f.Type.Elem()); of == textField || of == integerField {
				kind, list = of, true
			}
		}
		fields = append(fields, field{f.Index, name, f.Tag.Get("need") != "", f.Tag.Get("bare") != "", f.Tag.Get("prose") != "", kind, list})
	}
	fieldCache.Store(t, fields)
	return fields
}

func kindOf(t reflect.Type) fieldKind {
	switch t {
	case reflect.TypeFor[jsontext.Value]():
		return jsonField
	case reflect.TypeFor[Flag]():
		return flagField
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Int, reflect.Int64:
		return integerField
	case reflect.Slice, reflect.Struct, reflect.Map, reflect.Bool:
		return jsonField
	default:
		return textField
	}
}

// Complete reports whether every field with need:"1" has a value. Errors:
// skein.ErrMissing naming the first that has none.
func Complete(in any) error {
	v := reflect.ValueOf(in).Elem()
	for _, f := range fieldsOf(v.Type()) {
		if f.need && v.FieldByIndex(f.index).IsZero() {
			return skein.Missing(f.name)
		}
	}
	return nil
}

// objectOf writes query and path values as the JSON object that a body would be.
func objectOf(in any, query url.Values, path map[string]string) ([]byte, error) {
	doc := []byte{'{'}
	for _, f := range fieldsOf(reflect.TypeOf(in).Elem()) {
		values := query[f.name]
		if text, ok := path[f.name]; ok {
			values = []string{text}
		}
		if len(values) == 0 {
			continue
		}
		if len(values) > 1 && !f.list {
			return nil, skein.Malformed(f.name, "duplicate")
		}
		if len(doc) > 1 {
			doc = append(doc, ',')
		}
		doc = AppendQuote(doc, f.name)
		doc = append(doc, ':')
		var err error
		if f.list {
			doc, err = appendQueryList(doc, f, values)
		} else {
			doc, err = appendQueryValue(doc, f, values[0])
		}
		if err != nil {
			return nil, err
		}
	}
	return append(doc, '}'), nil
}

// appendQueryList appends a list: ids=["a","b"] and ids=a&ids=b are the same.
func appendQueryList(doc []byte, f field, values []string) ([]byte, error) {
	if len(values) == 1 && (values[0] == "" || values[0][0] == '[') {
		f.kind = jsonField
		return appendQueryValue(doc, f, values[0])
	}
	doc = append(doc, '[')
	for i, value := range values {
		if i > 0 {
			doc = append(doc, ',')
		}
		var err error
		if doc, err = appendQueryValue(doc, f, value); err != nil {
			return nil, err
		}
	}
	return append(doc, ']'), nil
}

func appendQueryValue(doc []byte, f field, text string) ([]byte, error) {
	switch f.kind {
	case integerField:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, skein.Malformed(f.name, "must be an integer")
		}
		return strconv.AppendInt(doc, n, 10), nil
	case flagField:
		if text == "true" || text == "false" {
			return append(doc, text...), nil
		}
		return AppendQuote(doc, text), nil
	case jsonField:
		v := jsontext.Value(text)
		if text == "" {
			return append(doc, "null"...), nil
		}
		if !v.IsValid() {
			return nil, skein.Malformed(f.name, "not valid JSON")
		}
		return append(doc, v...), nil
	default:
		if !strings.Contains(text, "\x00") && utf8.ValidString(text) {
			return AppendQuote(doc, text), nil
		}
		return nil, skein.Malformed(f.name, "must be UTF-8 text without U+0000")
	}
}

package strict

import (
	"bytes"
	"reflect"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// Survey reports how deep the arrays and objects of data nest, and whether a string in it
// has an odd escape: an unpaired surrogate or U+0000. data need not be valid JSON.
func Survey(data []byte) (depth int, odd bool) {
	now := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			var o bool
			i, o = textEnd(data, i)
			odd = odd || o
		case '{', '[':
			now++
			depth = max(depth, now)
		case '}', ']':
			now--
		}
	}
	return depth, odd
}

// textEnd is the index of the closing quote of the string that begins at i; past the end
// of data where there is none.
func textEnd(data []byte, i int) (end int, odd bool) {
	for i++; i < len(data) && data[i] != '"'; i++ {
		if data[i] != '\\' {
			continue
		}
		switch escapeAt(data[i:]) {
		case halfPair, nul:
			odd = true
		case pair:
			i += 6
		}
		i++
	}
	return i, odd
}

// escape is what a backslash begins.
type escape int8

const (
	plainEscape escape = iota
	pair               // of surrogates, twelve bytes
	halfPair           // six bytes
	nul                // U+0000, six bytes
)

// escapeAt is the escape that text begins with.
func escapeAt(text []byte) escape {
	switch unit, ok := unitAt(text); {
	case !ok:
		return plainEscape
	case unit == 0:
		return nul
	case !utf16.IsSurrogate(unit):
		return plainEscape
	default:
		if low, ok := unitAt(text[6:]); ok && utf16.DecodeRune(unit, low) != utf8.RuneError {
			return pair
		}
		return halfPair
	}
}

// unitAt is the code unit of the \uXXXX that text begins with.
func unitAt(text []byte) (unit rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(n), err == nil
}

// mendTexts replaces every unpaired surrogate in the prose fields of data by U+FFFD:
// programs cut texts in the middle of an emoji. In ids, keys and free JSON it refuses
// them. It refuses U+0000 everywhere: not every store can hold it. It leaves invalid JSON
// for the decoder to refuse. Errors: skein.ErrMalformed naming the field.
func mendTexts(data []byte, in any) ([]byte, error) {
	if !utf8.Valid(data) {
		return data, nil
	}
	prose := map[string]bool{}
	if t := reflect.TypeOf(in).Elem(); t.Kind() == reflect.Struct {
		for _, f := range fieldsOf(t) {
			prose[f.name] = f.prose
		}
	}
	mended := bytes.Clone(data)
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowInvalidUTF8(true))
	for {
		if d.PeekKind() != '"' {
			if _, err := d.ReadToken(); err != nil {
				return mended, nil //nolint:nilerr // the end, or what the reading will refuse
			}
			continue
		}
		isKey := expectsKey(d)
		text, err := d.ReadValue()
		if err != nil {
			return mended, nil //nolint:nilerr // as above
		}
		end := int(d.InputOffset())
		at := d.StackPointer()
		mayMend := !isKey && d.StackDepth() == 1 && prose[at.LastToken()]
		if err := mendText(mended[end-len(text):end], fieldName(at), mayMend); err != nil {
			return data, err
		}
	}
}

// expectsKey reports whether the next text is the name of a member.
func expectsKey(d *jsontext.Decoder) bool {
	kind, length := d.StackIndex(d.StackDepth())
	return kind == '{' && length%2 == 0
}

// mendText mends one text in place, or refuses it.
func mendText(text []byte, field string, mayMend bool) error {
	for i := 1; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		switch escapeAt(text[i:]) {
		case nul:
			return skein.Malformed(field, "must not hold U+0000")
		case pair:
			i += 6
		case halfPair:
			if !mayMend {
				return skein.Malformed(field, "unpaired surrogate")
			}
			copy(text[i:], `\ufffd`)
		}
		i++
	}
	return nil
}

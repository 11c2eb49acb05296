package strict

import (
	"bytes"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// NonNull is v; nil where v is null or empty.
func NonNull(v jsontext.Value) jsontext.Value {
	if v.Kind() == 'n' || len(v) == 0 {
		return nil
	}
	return v
}

// Value is a developer's JSON value in compact form, without white space and needless
// escapes; null is nil. limit bounds the bytes of the compact form and is whole KiB.
// Numbers stay as they are written. Errors: skein.ErrMalformed for more than limit bytes,
// and, naming the path, for a number that is infinite as a double.
func Value(field string, v jsontext.Value, limit int) (jsontext.Value, error) {
	v = NonNull(v)
	if v == nil {
		return nil, nil
	}
	v = v.Clone()
	if err := v.Format(); err != nil {
		return nil, skein.Malformed(field, "not valid JSON")
	}
	if len(v) > limit {
		return nil, skein.Malformed(field, "at most "+strconv.Itoa(limit>>10)+" KiB")
	}
	if mayBeInfinite(v) {
		return v, checkNumbers(field, v)
	}
	return v, nil
}

// mayBeInfinite reports whether v has a number with an exponent or of very many digits.
func mayBeInfinite(v []byte) bool {
	const longest = 300 // digits of an integer that fits a double
	digits := 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '"':
			i, _ = textEnd(v, i)
			digits = 0
		case '0' <= c && c <= '9':
			if digits++; digits > longest {
				return true
			}
		case (c == 'e' || c == 'E') && digits > 0:
			return true
		default:
			digits = 0
		}
	}
	return false
}

// checkNumbers refuses numbers beyond the range of a double.
func checkNumbers(field string, v []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(v))
	for {
		token, err := d.ReadToken()
		if err != nil {
			return nil //nolint:nilerr // the end: v is valid
		}
		if token.Kind() != '0' {
			continue
		}
		if f, _ := strconv.ParseFloat(token.String(), 64); math.IsInf(f, 0) {
			if path := fieldName(d.StackPointer()); path != "" {
				field += "." + path
			}
			return skein.Malformed(field, "out of range")
		}
	}
}

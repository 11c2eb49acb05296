package store

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// SameJSON reports whether two JSON values have the same content: the order of keys,
// escapes, white space and the way a number is written do not count. Numbers are
// compared by their exact value, so integers beyond 2^53 that differ are different.
func SameJSON(a, b []byte) bool {
	return bytes.Equal(a, b) || bytes.Equal(CanonicalJSON(a), CanonicalJSON(b))
}

// CanonicalJSON writes a JSON value in the one way in which SameJSON compares: as RFC
// 8785 has it, except that a number is its significant digits and a power of ten. What
// cannot be read as JSON is answered as it is. v stays as it is.
func CanonicalJSON(v []byte) []byte {
	c := jsontext.Value(bytes.Clone(v))
	if err := c.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)); err != nil {
		return v
	}
	return canonicalNumbers(c)
}

// canonicalNumbers is v, which is valid JSON, with its numbers written in one way.
func canonicalNumbers(v []byte) []byte {
	out := make([]byte, 0, len(v)+len(v)/2)
	for i := 0; i < len(v); {
		end := i + 1
		switch c := v[i]; {
		case c == '"':
			for v[end] != '"' {
				if v[end] == '\\' {
					end++
				}
				end++
			}
			end++
		case c == '-' || '0' <= c && c <= '9':
			for end < len(v) && strings.IndexByte("+-.eE0123456789", v[end]) >= 0 {
				end++
			}
			out = appendCanonicalNumber(out, v[i:end])
			i = end
			continue
		}
		out = append(out, v[i:end]...)
		i = end
	}
	return out
}

// appendCanonicalNumber writes 100, 1e2 and 100.0 as 1e2, and every zero as 0.
func appendCanonicalNumber(dst, number []byte) []byte {
	mantissa, power, _ := bytes.Cut(bytes.ToLower(number), []byte("e"))
	mantissa, negative := bytes.CutPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	digits := bytes.TrimLeft(append(bytes.Clone(whole), fraction...), "0")
	significant := bytes.TrimRight(digits, "0")
	if len(significant) == 0 {
		return append(dst, '0')
	}
	exponent := int64(len(digits) - len(significant) - len(fraction))
	if len(power) > 0 {
		n, err := strconv.ParseInt(string(power), 10, 48)
		if err != nil {
			return append(dst, number...) // nobody computes with it
		}
		exponent += n
	}
	if negative {
		dst = append(dst, '-')
	}
	dst = append(dst, significant...)
	if exponent == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, 'e'), exponent, 10)
}

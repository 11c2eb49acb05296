package strict

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendTexts appends a list of strings; an empty list is null.
func AppendTexts(dst []byte, list []string) []byte {
	if len(list) == 0 {
		return append(dst, "null"...)
	}
	for i, s := range list {
		dst = append(dst, "[,"[min(i, 1)])
		dst = AppendQuote(dst, s)
	}
	return append(dst, ']')
}

// AppendOptionalText appends a string; nil is null.
func AppendOptionalText(dst []byte, s *string) []byte {
	if s == nil {
		return append(dst, "null"...)
	}
	return AppendQuote(dst, *s)
}

// AppendOptionalInt appends an integer; nil is null.
func AppendOptionalInt(dst []byte, n *int64) []byte {
	if n == nil {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, *n, 10)
}

// AppendFlag appends 0 or 1.
func AppendFlag(dst []byte, f Flag) []byte {
	if f {
		return append(dst, '1')
	}
	return append(dst, '0')
}

// AppendOrNull appends data, which is JSON; nil is null.
func AppendOrNull(dst, data []byte) []byte {
	if data == nil {
		return append(dst, "null"...)
	}
	return append(dst, data...)
}

// AppendQuote appends s as a JSON string; bytes that are not UTF-8 become U+FFFD.
func AppendQuote(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // the error only reports the replacement
	return dst
}
